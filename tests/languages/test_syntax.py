"""What the grammars cannot make sense of, and what happens where they are not installed or not wanted."""

import importlib.metadata

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.languages import syntax, table
from starloom.languages.syntax import SyntaxSettings, grammars
from starloom.settings import load
from starloom.the_stack.signal import Batch
from starloom.the_stack.signals.syntax import SIGNAL

ON = SyntaxSettings(enabled=True)
SOME = ("C", "Go", "Haskell", "JavaScript", "JSON", "PHP", "Python", "Ruby", "Rust", "Shell", "YAML")


def encoded(text):
    return text.encode("utf-8", "replace")


def parse_errors(data, language, **limits):
    """Of one file."""
    (found,) = syntax.parse_errors([(language, data)], **limits)
    return found


@pytest.fixture
def pack():
    """The grammars; a test that needs them is skipped where the extra is not installed."""
    return pytest.importorskip("tree_sitter_language_pack")


@pytest.fixture
def fresh():
    """`version` asked anew, before and after."""
    syntax.version.cache_clear()
    yield
    syntax.version.cache_clear()


def test_every_language_of_the_table_is_known():
    assert set(grammars()) <= set(table.load().languages)
    assert list(grammars()) == sorted(grammars(), key=str.lower)


def test_every_grammar_loads(pack):
    for names in grammars().values():
        for name in names:
            assert pack.get_language(name).abi_version >= 13, name


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("Python", "def f(a):\n    return [a]\n", "def f(a:\n    return [a\n"),
        ("JavaScript", "const f = async (a) => `${a}`;\n", "const f = async (a => `${a`;\n"),
        ("TypeScript", "let a: Array<string> = [];\n", "let a: Array<string = [;\n"),
        ("TSX", "const a = <p>{b}</p>;\n", "const a = <p>{b</p>;\n"),
        ("C", "int main(void) { return 0; }\n", "int main(void { return 0;\n"),
        ("C++", "template <class T> struct A : B<T> {};\n", "template <class T struct A : B<T> {\n"),
        ("C#", "class A { int B => 1; }\n", "class A { int => 1; \n"),
        ("Java", "class A { int b() { return 1; } }\n", "class A { int b( { return 1; }\n"),
        ("Go", "package a\n\nfunc f() int { return 1 }\n", "package a\n\nfunc f( int { return 1\n"),
        ("Rust", "fn main() { let a = 1; }\n", "fn main( { let = 1;\n"),
        ("Ruby", "def f(a)\n  a\nend\n", "def f(a\n  a]\n"),
        ("PHP", "<?php echo f($a);\n", "<?php echo f($a;;]\n"),
        ("Shell", 'for a in b; do echo "$a"; done\n', 'for a in b; do echo "$a"; fi )\n'),
        ("OCaml", "let f x = x + 1\n", "let f x = = (\n"),
        ("JSON", '{"a": [1, null]}', '{"a": [1, nul'),
        ("YAML", "a: [1, 2]\nb: {c: d}\n", "a: [1, 2\nb: {c: d\n"),
        ("CSS", "p { color: red }\n", "p { color: red }} {\n"),
    ],
    ids=lambda value: value if value.isidentifier() or len(value) < 4 else "",
)
def test_right_and_wrong(pack, language, right, wrong):
    well, found = syntax.parse_errors([(language, right.encode()), (language, wrong.encode())])
    assert well == (0.0, 0)
    assert found.number > 0
    assert 0 <= found.fraction <= 1


def test_the_fraction_is_of_bytes(pack):
    text = "a = 1\n$$$$$ é\nb = 2\n".encode()
    found = parse_errors(text, "Python")
    assert found.number >= 1
    assert 5 / len(text) <= found.fraction <= 9 / len(text)


def test_a_missing_token_is_an_error_of_no_bytes(pack):
    assert parse_errors(b"int a = 1", "C") == (0.0, 1)


def test_an_interface_is_read_by_the_grammar_that_fits(pack):
    """OCaml has two: this is an error in the first."""
    assert parse_errors(b"val f : int -> int\n", "OCaml") == (0.0, 0)


@pytest.mark.parametrize("language", ["Python", "C", "JSON", "YAML", "Haskell"])
def test_empty_files_and_bytes_that_are_no_text(pack, language):
    odd = (b"", b"\n", b"\0", "\ufeff".encode(), b"\xff\xfe\x80", bytes(range(256)) * 4)
    found = syntax.parse_errors([(language, data) for data in odd])
    assert all(one is not None and 0 <= one.fraction <= 1 for one in found)
    assert found[0].fraction == found[1].fraction == 0.0


def test_large_files_and_other_languages_are_not_parsed(pack):
    assert parse_errors(b"a" * 100, "Python", max_bytes=100) == (0.0, 0)
    assert parse_errors(b"a" * 101, "Python", max_bytes=100) is None
    assert parse_errors(b"a", "Text") is None


@pytest.mark.parametrize(
    ("language", "data"),
    [
        ("Python", b"(" * 300_000),
        ("JavaScript", b"x=" + b"[" * 300_000),
        ("JSON", b"[" * 300_000 + b"]" * 300_000),
        ("C", b"{" * 300_000),
        ("C", b"{" * 100_000 + b"}" * 100_000),
        ("Python", b"\0" * 900_000),
        ("Python", b"x" * 900_000),
        ("YAML", b"- " * 20_000),
        ("Haskell", b"(" * 20_000),
    ],
    ids=["parentheses", "brackets", "deep", "braces", "blocks", "nul", "line", "sequences", "operators"],
)
def test_hostile_files_end(pack, language, data):
    found = parse_errors(data, language)
    assert found is None or 0 <= found.fraction <= 1


def test_a_file_that_keeps_the_parser_busy_is_given_up_and_the_next_is_not(pack):
    """In C++ each `a<b<` may be a template or a comparison."""
    busy = ("C++", b"a<b<" * 100_000)
    assert syntax.parse_errors([busy, ("C++", b"int a;")]) == [None, (0.0, 0)]


@given(st.lists(st.tuples(st.sampled_from(SOME), st.text().map(encoded)), min_size=20, max_size=60))
@settings(deadline=None, max_examples=4)
def test_any_text(texts):
    pytest.importorskip("tree_sitter_language_pack")
    found = syntax.parse_errors(texts)
    assert found == syntax.parse_errors(texts)  # no parser remembers the file before
    for one in found:
        assert one is None or (0 <= one.fraction <= 1 and (one.number or not one.fraction))


def test_a_crash_costs_only_its_own_file(pack):
    """The scanner of this grammar fails where sequences are nested deeply."""
    right, wrong, crash = ("C", b"int a;"), ("C", b"int a"), ("YAML", b"- " * 20_000)
    texts = [crash, right, crash, wrong, right]
    assert syntax.parse_errors(texts) == [None, (0.0, 0), None, (0.0, 1), (0.0, 0)]


def test_a_parser_that_does_not_start_is_an_error_with_its_complaint(pack, monkeypatch):
    monkeypatch.setattr(syntax, "__package__", "starloom.nowhere")
    with pytest.raises(UserError, match=r"does not start: .*nowhere"):
        parse_errors(b"a", "Python")


def test_the_signal_measures_each_file_by_its_language(pack):
    texts = ["a = (", "a = 1", '{"a": é', "whatever", "int a;"]
    batch = Batch(pa.array(texts), languages=["Python", "Python", "JSON", "Text", "C"])
    fraction, count = SIGNAL.measure(batch, ON)
    assert [one is None for one in fraction.to_pylist()] == [False, False, False, True, False]
    assert count.to_pylist()[1] == 0
    assert count.to_pylist()[0] > 0
    assert (fraction.type, count.type) == (pa.float32(), pa.int32())


def test_it_is_off_by_default_and_then_asks_for_nothing(monkeypatch, fresh):
    monkeypatch.setattr(importlib.metadata, "version", _absent)
    assert not SIGNAL.wants_language("Python", SyntaxSettings())
    assert SIGNAL.mark(SyntaxSettings()) == ""


def test_it_asks_for_the_languages_that_are_named():
    assert SIGNAL.wants_language("Python", ON)
    assert not SIGNAL.wants_language("Text", ON)
    some = SyntaxSettings(enabled=True, languages=("C",))
    assert SIGNAL.wants_language("C", some)
    assert not SIGNAL.wants_language("Python", some)


def _absent(name):
    raise importlib.metadata.PackageNotFoundError(name)


def test_without_the_extra_an_error_says_what_to_install(monkeypatch, fresh):
    monkeypatch.setattr(importlib.metadata, "version", _absent)
    with pytest.raises(UserError, match="tree-sitter is not installed") as caught:
        SIGNAL.mark(ON)
    assert "pip install 'starloom[syntax]'" in caught.value.hint


def test_a_pack_that_would_load_grammars_from_the_network_is_refused(monkeypatch, fresh):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "1.25.0")
    with pytest.raises(UserError, match=r"1\.25\.0 has no grammars of its own"):
        parse_errors(b"a", "Python")


def test_another_version_of_the_grammars_measures_anew(monkeypatch, fresh):
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.13.0")
    one = SIGNAL.mark(ON)
    syntax.version.cache_clear()
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.13.1")
    assert SIGNAL.mark(ON) != one


def test_a_language_without_a_grammar_is_named():
    with pytest.raises(UserError, match="no grammar for 'Pyton'"):
        load({"enabled": True, "languages": ["Pyton"]}, SyntaxSettings, "starloom.toml, section [syntax]")
