"""Ruby's regular expressions mean here what they mean there; expectations were checked with ruby 3.1."""

import shutil
import subprocess

import pytest

pytest.importorskip("regex")

from starloom.errors import UserError
from starloom.languages.linguist.ruby_patterns import compile_ruby, union

CASES = [
    ("^b$", "a\nb\nc", True),
    ("^$", "a\n", False),  # no line begins after the last newline
    ("^$", "a\n\nb", True),
    (r"a\z", "a\n", False),
    (r"a\Z", "a\n", True),
    (r"\Aa", "b\na", False),
    ("a.b", "a\nb", False),
    ("(?m:a.b)", "a\nb", True),
    ("(?m)a.b", "a\nb", True),
    ("x(?i)a|b", "xB", True),  # flags to the end of the group, alternatives too
    ("x(?i)a|b", "B", False),
    ("(?i:A)b", "aB", False),
    (r"\h\H", "fg", True),
    (r"[\h]{2}x", "ffx", True),
    (r"a\Rb", "a\r\nb", True),
    (r"a\R\nb", "a\r\nb", False),  # all of the line end or nothing
    ("a{2}+b", "aaaab", True),
    ("^a{2}+b", "aaab", False),
    ("a{,2}b", "b", True),
    ("x{y}", "x{y}", True),
    ("x{", "x{", True),
    ("x{e}", "x", False),  # no fuzzy matching
    (r"a*+a", "aaa", False),
    (r"(?>a|ab)c", "abc", False),
    (r"[\s&&[^\n]]x", "\nx", False),
    (r"[\s&&[^\n]]x", "\tx", True),
    ("[a[bc]]z", "cz", True),
    ("[a||b]z", "|z", True),
    ("[]a]z", "]z", True),
    ("[a--z]", "-", None),  # Ruby: the range from a to -, which is empty
    ("[[:alpha:]]1", "b1", True),
    (r"(?<n>a|b)\k<n>", "bb", True),
    (r"(?<n>\((?:x|\g<n>)*\))", "((x)x)", True),
    (r"(a)\1", "aa", True),
    (r"(?<=ab|c)d", "cd", True),
    (r"(?x) a b # c", "ab", True),
    (r"\p{Alpha}\P{Alpha}", "a1", True),
    (r"\p{Alpha}", "1", False),
    (r"\e", "\x1b", True),
    (r"\w", "é", False),
    ("é+x", "ééx", True),
    (r"\u00e9{2}", "éé", True),
    (r"\/\-\"\_", '/-"_', True),
    (r"\y", "y", True),
    ("a#b c", "a#b c", True),
]


@pytest.mark.parametrize(("pattern", "text", "matches"), [case for case in CASES if case[2] is not None], ids=repr)
def test_as_in_ruby(pattern, text, matches):
    assert compile_ruby(pattern).holds(text.encode(), 1) is matches


def test_ruby_agrees():
    ruby = shutil.which("ruby")
    if not ruby:
        pytest.skip("no ruby")
    script = "".join(
        f"p(begin; Regexp.new({_quoted(pattern)}).match?({_quoted(text)}.b); rescue StandardError; nil; end)\n"
        for pattern, text, _ in CASES
        if pattern.isascii() and "\\u" not in pattern
    )
    done = subprocess.run([ruby, "-W0", "-e", script], capture_output=True, text=True, check=True)
    expected = [str(one[2]).lower().replace("none", "nil") for one in CASES if one[0].isascii() and "\\u" not in one[0]]
    assert done.stdout.split() == expected


def _quoted(text: str) -> str:
    return "[" + ",".join(str(byte) for byte in text.encode()) + "].pack('C*').force_encoding('UTF-8')"


def test_union_keeps_flags_apart():
    pattern = compile_ruby(union(["(?i)a", "b"]))
    assert pattern.holds(b"A", 1)
    assert not pattern.holds(b"B", 1)


@pytest.mark.parametrize("pattern", ["(", ")", "[a", "a\\", "[é]", "(?~a)", "*", r"[\u00e9]", "(?<n", r"\p{Nonsense}"])
def test_refused(pattern):
    with pytest.raises(UserError, match="cannot be read"):
        compile_ruby(pattern)
