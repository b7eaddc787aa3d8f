"""Comments, strings, identifiers and prose: what the kernel says of real languages, and that its plain twin agrees."""

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import lexical, lexical_rules, lexical_twin, text
from starloom.kernels.lexical_rules import COMMENT, SKIPPED, STRING, Rule, Syntax
from starloom.languages import comments

unhurried = settings(deadline=None, max_examples=300)


def found(language, content):
    """(comments, strings) as texts."""
    places, packed = comments.packed()
    data = content.encode()
    spans = lexical.spans(np.frombuffer(data, np.uint8), places[language], packed).tolist()
    texts = [(data[start:end].decode(), kind) for start, end, kind in spans]
    return [one for one, kind in texts if kind == COMMENT], [one for one, kind in texts if kind == STRING]


def counts(language, content):
    places, packed = comments.packed()
    offsets, data = text.text_buffers(pa.array([content]))
    place = np.array([places[language] if language else -1], np.int32)
    return lexical_twin.Counts(*(column.tolist()[0] for column in lexical.lexical_counts(offsets, data, place, packed)))


@pytest.mark.parametrize(
    ("language", "content", "in_comments", "in_strings"),
    [
        ("Python", "x = '#' # a 'b'\ny = r\"\\\"\"", ["# a 'b'"], ["'#'", '"\\""']),
        ("Python", 'x = """a "b" #\n"""', [], ['"""a "b" #\n"""']),
        ("Python", 'x = """a""""', [], ['"""a""""']),  # the last three of four
        ("Python", "don't\nx = 'a'", [], ["'a'"]),  # a quote alone on its line is none
        ("Python", 'def f():\n    r"""doc"""\n    return "a"\n', ['r"""doc"""'], ['"a"']),  # docstrings are comments
        ("Python", 'x = [\n    "a",\n    "b"\n]\n', [], ['"a"', '"b"']),  # not those in brackets
        ("Python", 'x = \\\n    "a"\n', [], ['"a"']),
        ("C", 'a = \'"\'; /* " /* */ b("*/\\"") // \'', ['/* " /* */', "// '"], ["'\"'", '"*/\\""']),
        ("C", '"a\\\nb"', [], ['"a\\\nb"']),  # goes on after a backslash
        ("C", "/* a", ["/* a"], []),  # to the end of the file
        ("C++", 'x = 1\'000\'000; R"(a)" + R"x(a)" )x";', [], ['R"(a)"', 'R"x(a)" )x"']),
        ("C#", 'a(@"x""\\", $"b{f("c")}{{d")', [], ['@"x""\\"', '$"b{', '"c"', '}{{d"']),
        ("Java", 's = """\n a "b" //\n """; // c', ["// c"], ['"""\n a "b" //\n """']),
        ("JavaScript", "a / b / c; x = /[/'\"]/g; // d", ["// d"], ["/[/'\"]/g"]),
        ("JavaScript", "return /'/", [], ["/'/"]),
        ("JavaScript", "`a${b + `c${'}'}`}d` // e", ["// e"], ["`a${", "`c${", "'}'", "}`", "}d`"]),
        ("JavaScript", "`a${ {b: 1} }c` + '/*'", [], ["`a${", "}c`", "'/*'"]),
        ("Go", "x := `a\n\\` + '\"' // b", ["// b"], ["`a\n\\`", "'\"'"]),
        ("Rust", "fn f<'a>(x: &'a u8) { '\\'' + '\"' } /* a /* b */ c */", ["/* a /* b */ c */"], ["'\\''", "'\"'"]),
        ("Rust", 'r"\\" + r##"a"# "## + br#"b"#', [], ['r"\\"', 'r##"a"# "##', 'br#"b"#']),
        ("Swift", '"a\\(f("b"))c" + #"\\("# // d', ["// d"], ['"a\\(', '"b"', ')c"', '#"\\("#']),
        ("Kotlin", '"a${"b"}c" + """d\n"e" """', [], ['"a${', '"b"', '}c"', '"""d\n"e" """']),
        ("PHP", "don't <?php 'a' // b\n?> it's \" <? /* c */", ["// b", "/* c */"], ["'a'"]),
        ("PHP", "<?php $x = <<<EOT\na 'b'\n  EOT; // c", ["// c"], ["a 'b'\n  EOT"]),
        ("Ruby", 'x = %w(a (b) #) + "c#{d("e")}" # f', ["# f"], ["%w(a (b) #)", '"c#{', '"e"', '}"']),
        (
            "Ruby",
            "a = <<~X + <<-'Y'\n  b # \n  X\nc\nY\nd # e",
            ["# e"],
            ["  b # \n  X", "\nc\nY"],
        ),  # one after the other
        ("Ruby", "Given /^a'b/ do\nx / y / z # '", ["# '"], ["/^a'b/"]),
        ("Ruby", "=begin\na\n=end\n'b'", ["=begin\na\n=end"], ["'b'"]),
        ("Ruby", "class A << B; end; x << 'y' # c", ["# c"], ["'y'"]),  # no here-document
        ("Perl", "s/a#'/\"/; $#x; q{a{'}b}; y => 1; $h{s} # c", ["# c"], ["s/a#'/\"/", "q{a{'}b}"]),
        (
            "Perl",
            "=pod\n\nit's\n\n=cut\n'a'\n__END__\nit's\n\n=head1 B\n",
            ["=pod\n\nit's\n\n=cut", "=head1 B\n"],
            ["'a'"],
        ),
        ("Shell", "x=$# y=${#z} a#b \\' # 'c", ["# 'c"], []),
        ("Shell", "cat <<EOF > x\nit's # $y\nEOF\necho 'a' # b", ["# b"], ["it's # $y\nEOF", "'a'"]),
        ("Shell", "cat <<EOF\nno end 'a'", [], ["'a'"]),  # no such line: no here-document
        ("PowerShell", "\"a`\"b\" <# c #> 'd''e'", ["<# c #>"], ['"a`"b"', "'d''e'"]),
        ("Batchfile", 'REM a "b"\n:: c\necho REM d', ['REM a "b"', ":: c"], []),
        ("Lua", "--[==[ a ]] ]==] b = [[c]] d[e[1]] -- f", ["--[==[ a ]] ]==]", "-- f"], ["[[c]]"]),
        ("Haskell", "f' x = 'a' --> {- b {- c -} -} -- d", ["{- b {- c -} -}", "-- d"], ["'a'"]),
        ("OCaml", "let f' (x : 'a) = '\"' (* a (* b *) *) {|\"|}", ["(* a (* b *) *)"], ["'\"'", '{|"|}']),
        ("Common Lisp", '\'a #\\" #| b #| c |# |# "d" ; e', ["#| b #| c |# |#", "; e"], ['"d"']),
        ("Clojure", '(f \\" \'a "b") ; c', ["; c"], ['"b"']),
        ("Emacs Lisp", '(list ?\\" ?a "b") ; c', ["; c"], ['"b"']),
        ("Erlang", '$" + $\\\' + "a" % b', ["% b"], ['"a"']),
        ("Elixir", '~r/"/ + "a#{"b"}" # c', ["# c"], ['~r/"/', '"a#{', '"b"', '}"']),
        ("Julia", "x' * \"a\" * y' #= b #= c =# =#", ["#= b #= c =# =#"], ['"a"']),
        ("MATLAB", "x = a' + 'b''c'; % d\n%{\n e\n%}\nf'", ["% d", "%{\n e\n%}"], ["'b''c'"]),
        ("Fortran", "C a 'b'\n      x = 'c''d' ! e", ["C a 'b'", "! e"], ["'c''d'"]),
        ("SQL", "SELECT 'a''--', \"b\" -- c\n/* d */", ["-- c", "/* d */"], ["'a''--'", '"b"']),
        ("Ada", "x'First := '\"'; -- a", ["-- a"], ["'\"'"]),
        ("COBOL", "000100*a 'b'\n000200 'c'", ["*a 'b'"], ["'c'"]),
        ("CSS", "a { b: url('c') } /* d */", ["/* d */"], ["'c'"]),
        ("SCSS", "a: url(http://b) // c", ["// c"], []),
        ("YAML", "a: b#c # d\ne: it's 'f'", ["# d"], ["'f'"]),
        ("TOML", "a = '\\' # b\nc = '''d'\n'''", ["# b"], ["'\\'", "'''d'\n'''"]),
        ("TeX", "50\\% a % b", ["% b"], []),
        ("HTML", '<p>it\'s <!-- a --> "b"', ["<!-- a -->"], []),
        ("Nim", '## a\n#[ b #[ c ]# ]# r"\\" """d"""', ["## a", "#[ b #[ c ]# ]#"], ['r"\\"', '"""d"""']),
        ("Zig", 'x =\n  \\\\ a "b"\n; // c', ["// c"], ['\\\\ a "b"']),
        ("Vim script", '" a \'b\'\nlet c = "d"', ["\" a 'b'"], ['"d"']),
        ("APL", "⍝ a\n'b''c' ⍝ d", ["⍝ a", "⍝ d"], ["'b''c'"]),
        ("WebAssembly", '(; a (; b ;) ;) ;; c\n"d"', ["(; a (; b ;) ;)", ";; c"], ['"d"']),
        ("Smalltalk", "\"a\" 'it''s' $' b", ['"a"'], ["'it''s'"]),
        ("Prolog", "0'a + 0'' + 'b' % c", ["% c"], ["'b'"]),
        ("Tcl", '# a\nputs "b#c" ;# d', ["# a", ";# d"], ['"b#c"']),
    ],
    ids=lambda value: value.replace("\n", "/")[:24] if isinstance(value, str) else "-",
)
def test_languages(language, content, in_comments, in_strings):
    assert found(language, content) == (in_comments, in_strings)
    assert lexical_twin.spans(content, comments.syntaxes()[language]) == [
        tuple(one)
        for one in lexical.spans(
            np.frombuffer(content.encode(), np.uint8), comments.place(language), comments.packed()[1]
        ).tolist()
    ]


@pytest.mark.parametrize(
    ("language", "content", "documented"),
    [
        ("Python", '"""Doc."""\n', True),
        ("Python", 'x = """no"""\n', False),
        ("Python", "# no\n", False),
        ("Java", "/** Doc. */ class A {}", True),
        ("Java", "/**/ /* no */ // no", False),
        ("Rust", "/// Doc.\nfn f() {}", True),
        ("Rust", "//// no\n// no", False),
        ("Go", "// F does.\nfunc F() {}", True),
        ("Go", "// no\n\nfunc F() {}", False),  # an empty line between
        ("Go", "func F() { // no\n}", False),
        ("Ruby", "# Does.\n  def f; end", True),
        ("Ruby", "# no\nx = 1\ndef f; end", False),
        ("Haskell", "-- | Doc\nf = 1", True),
        ("Haskell", "-- no\nf = 1", False),
        ("Perl", "=head1 NAME\n\n=cut\n", True),
        ("Elixir", '@doc """\nDoc\n"""\n', True),
        ("Elixir", '@x """\nno\n"""\n', False),
        ("Emacs Lisp", '(defun f ()\n  "Doc."\n  1)', True),
        ("Emacs Lisp", '(setq x\n  "no")', False),
        ("Emacs Lisp", '(defun f (x "a")\n  (g\n  "no"))', False),  # not the first string
        ("Julia", '"""\nDoc\n"""\nf(x) = 1\n', True),
        ("R", "#' Doc\nf <- 1", True),
        ("C#", "/// <summary>\n", True),
        ("Lua", "--- Doc\n", True),
    ],
    ids=lambda value: value.replace("\n", "/")[:24] if isinstance(value, str) else str(value),
)
def test_documentation(language, content, documented):
    assert counts(language, content).documented is documented


def test_what_is_counted():
    content = 'def café(x, y_1):  # été ab\n    return r"a b" if x else None\n'
    one = counts("Python", content)
    assert one.characters == len(content)
    assert one.solid == len("".join(content.split()))
    assert one.comment_characters == len("#étéab")
    assert one.string_characters == one.longest_string == len('"a b"')
    # café, x, y_1, x: no keyword, no prefix of a string
    assert (one.identifiers, one.identifier_characters) == (4, 4 + 1 + 3 + 1)


def test_text_has_no_identifiers():
    one = counts("Markdown", "Some words of text stand here <!-- and a comment -->")
    assert one.identifiers == 0
    assert one.comment_characters == len("<!--andacomment-->")
    assert one.prose_characters == len("Somewordsoftextstandhere")


@pytest.mark.parametrize(
    ("language", "content", "prose"),
    [
        (None, "three words here", 0),  # too few
        (None, "now four words here", 16),
        (None, "(It's a well-known thing, isn't it?)", 31),
        (None, "one two = three four five", 0),
        (None, "one two x1 three four", 0),
        (None, "one two f(x) three four five six", 16),
        (None, "one two\n * three - four", 15),  # marks alone are passed over
        (None, "über die Wörter — hinaus", 19),
        (None, "这是一个句子", 6),  # no white space
        (None, "这是", 0),
        ("Python", "# one two three\n# four\nx = 1", 15),  # from comment to comment
        ("Python", "# one two\nx = 1 # three four", 0),
        ("Python", "one two three four five", 0),  # code is no prose
        ("Python", "x = 'one two three four'", 17),
        ("Python", "x = 'one two' # three four", 0),
    ],
)
def test_prose(language, content, prose):
    assert counts(language, content).prose_characters == prose


def test_many_files_at_once_and_empty_ones():
    places, packed = comments.packed()
    contents, languages = ["", "# a", "\ufeff// b", "", "\x00"], ["Python", "Python", "C", None, "Ruby"]
    offsets, data = text.text_buffers(pa.array(contents))
    at = np.array([places.get(one, -1) for one in languages], np.int32)
    together = lexical.lexical_counts(offsets, data, at, packed)
    for i, (language, content) in enumerate(zip(languages, contents, strict=True)):
        assert tuple(column.tolist()[i] for column in together) == tuple(counts(language, content))


def test_wrong_places_are_refused():
    packed = comments.packed()[1]
    offsets, data = text.text_buffers(pa.array(["a"]))
    with pytest.raises(ValueError, match="languages"):
        lexical.lexical_counts(offsets, data, np.array([len(packed.classes)], np.int32), packed)
    with pytest.raises(ValueError, match="languages"):
        lexical.lexical_counts(offsets, data, np.array([0, 0], np.int32), packed)


@pytest.mark.parametrize(
    "rule", [Rule(COMMENT, b""), Rule(COMMENT, b"x" * 25), Rule(STRING, b'"', b"y" * 25), Rule(SKIPPED, b"x", b"", "?")]
)
def test_rules_without_room_are_refused(rule):
    with pytest.raises(ValueError, match=r"room|flags"):
        lexical_rules.pack([Syntax((rule,))])


PIECES = ["a", "def", "x1", "\n", "\n", "  ", "\t", "'", '"', "`", "\\", "#", "//", "/*", "*/", "/", "{", "}", "(",
          ")", "<<EOF", "<<-'E'", "EOF", "${", "#{", "$(", '"""', "'''", "=cut", "\n=pod", "é", "中文字", "—", "--",
          "[[", "]]", "[==[", "]==]", 'r#"', '"#', 'R"x(', ')x"', "1'0", "q{", "s/", "%w", "?", "$", "=", "\r\n",
          "return ", "one two three four", "(see", "five-six", "isn't it?", "\x00", "\ufeff", "__END__\n", "(def", "- ",
          "\u0301"]  # fmt: skip


@st.composite
def sources(draw):
    language = draw(st.sampled_from(sorted(comments.syntaxes())))
    marks = [
        mark.decode() for rule in comments.syntaxes()[language].rules for mark in (rule.open, rule.close) if mark
    ] or PIECES
    piece = st.sampled_from(PIECES) | st.sampled_from(marks) | st.text(max_size=3)
    return language, "".join(draw(st.lists(piece, max_size=30)))


@unhurried
@given(sources())
def test_the_kernel_is_its_twin(drawn):
    language, content = drawn
    content = content.encode("utf-8", "replace").decode()
    syntax = comments.syntaxes()[language]
    packed = comments.packed()[1]
    spans = lexical.spans(np.frombuffer(content.encode(), np.uint8), comments.place(language), packed)
    assert [tuple(one) for one in spans.tolist()] == lexical_twin.spans(content, syntax)
    assert counts(language, content) == lexical_twin.counts(content, syntax)


@unhurried
@given(st.text() | st.lists(st.sampled_from(PIECES)).map(" ".join))
def test_so_it_is_of_unknown_languages(content):
    content = content.encode("utf-8", "replace").decode()
    assert counts(None, content) == lexical_twin.counts(content, None)


@unhurried
@given(st.binary(), st.sampled_from(["Python", "C++", "Perl", "Ruby", "Shell", "JavaScript", "Lua", "PHP", "Rust"]))
def test_any_bytes_pass(data, language):
    """What is not UTF-8 is never handed in, but nothing outside the file is read should it be."""
    spans = lexical.spans(np.frombuffer(data, np.uint8), comments.place(language), comments.packed()[1])
    assert (spans[:, 0] >= 0).all()
    assert (spans[:, 1] <= len(data)).all()
    assert (spans[:, 0] < spans[:, 1]).all()


def test_real_files(standard_library):
    syntax = comments.syntaxes()["Python"]
    for content in standard_library[::15]:
        assert counts("Python", content) == lexical_twin.counts(content, syntax)


HOSTILE = [
    ("Python", '"', 300_000, "\\"),
    ("Ruby", "%w(", 100_000, ""),
    ("Ruby", "<<A\n", 100_000, ""),
    ("Shell", "cat <<EOF\n", 100_000, ""),
    ("Perl", "=~ /a", 100_000, ""),
    ("Perl", "s{a}", 100_000, ""),
    ("JavaScript", "`${", 100_000, ""),
    ("JavaScript", "=/", 300_000, "x"),
    ("C", '"\\', 300_000, ""),
    ("Rust", 'r#"', 100_000, ""),
    ("Lua", "[=[", 100_000, ""),
    ("C++", 'R"(', 100_000, ""),
    ("OCaml", "(*", 100_000, ""),
    ("MATLAB", "%{\n", 100_000, ""),
    ("Emacs Lisp", "(", 300_000, ""),
    ("Markdown", "<!--", 100_000, ""),
    ("Python", "x", 3_000_000, ""),
    ("Python", "\x00", 1_000_000, ""),
    (None, "a ", 1_000_000, ""),
]


@pytest.mark.parametrize(("language", "piece", "times", "end"), HOSTILE, ids=range(len(HOSTILE)))
def test_no_input_is_quadratic(language, piece, times, end):
    """At 10^5 openings that never close a quadratic lexer would take minutes for each of these."""
    one = counts(language, piece * times + end)
    assert one.characters == len(piece) * times + len(end)
    assert one.comment_characters <= one.solid
    assert one.string_characters <= one.characters
