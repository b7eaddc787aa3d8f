"""The table of languages: what it holds, and that it refuses to contradict itself."""

import subprocess
import sys

import pytest

from starloom.languages.detect import _MAX_DOTS
from starloom.languages.table import Language, build, by_name, load

# Languages that rules of the paper name (arXiv 2402.19173, section 2.1), and others whose spelling is easily wrong.
PUBLISHED = [
    "HTML",
    "JSON",
    "Markdown",
    "Roff",
    "Roff Manpage",
    "SMT",
    "TeX",
    "Text",
    "XML",
    "YAML",
    "Motorola 68K Assembly",
    "WebAssembly",
    "Web Ontology Language",
    "Graphviz (DOT)",
    "C",
    "C#",
    "C++",
    "Go",
    "Java",
    "JavaScript",
    "Kotlin",
    "Lua",
    "PHP",
    "Python",
    "R",
    "Ruby",
    "Rust",
    "SQL",
    "Shell",
    "Swift",
    "TypeScript",
    "AsciiDoc",
    "RDoc",
    "RMarkdown",
    "reStructuredText",
    "Jupyter Notebook",
    "Vim script",
    "Protocol Buffer",
    "SubRip Text",
    "CSV",
    "SVG",
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_names(name):
    assert load().languages[name].name == name
    assert by_name(name).name == name


def test_size():
    table = load()
    assert len(table.languages) >= 833
    assert len(table.by_extension) > 1_500


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("Python", "Python"),
        ("python", "Python"),  # the lower-cased name is an alias
        ("PYTHON3", "Python"),
        ("cpp", "C++"),
        ("c++", "C++"),
        ("bash", "Shell"),
        ("golang", "Go"),
        ("M", "M"),  # before any alias
        ("m", "M"),
        ("Coq", "Rocq Prover"),  # names of The Stack v2 that have changed since
        ("Vim Script", "Vim script"),
        ("Mathematica", "Wolfram Language"),
        ("SaltStack", "Salt"),
        ("Fortran Free Form", "Fortran Free Form"),
        ("nothing", None),
        ("", None),
    ],
)
def test_by_name(asked, name):
    found = by_name(asked)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("language", load().languages.values(), ids=lambda language: language.name)
def test_every_language(language: Language):
    assert language.name.lower() == language.aliases[0]
    for found in (language.extensions, language.names, language.interpreters, language.aliases):
        assert len(set(found)) == len(found)
    for extension in language.extensions:
        assert extension
        assert not extension.startswith(".")
        assert "/" not in extension
        assert extension.count(".") < _MAX_DOTS  # or detection would not look that far
        if extension != extension.lower():  # else the lower-cased attempt could never reach it, nor need it
            assert extension in ("C", "H")
    assert by_name(language.name) is language


def test_maps_agree():
    table = load()
    for extension, languages in table.by_extension.items():
        assert all(extension in language.extensions for language in languages)
    for name, languages in table.by_file_name.items():
        assert all(name in language.names for language in languages)
    assert len(table.by_alias) == sum(len(language.aliases) for language in table.languages.values())


ROWS = "A\tprogramming\t.a\t\t\t\t#112233\t\nB\tdata\t.a|.b\tBfile\trun\tbee|Bee2\t\tA\n"
GOOD = {"defaults": {"a": "B"}}


def test_build():
    table = build(
        "# a comment\n" + ROWS, {**GOOD, "languages": {"A": {"extensions": "A c"}}, "modes": {"x": "A", "y": ""}}
    )
    assert [language.name for language in table.by_extension["a"]] == ["B", "A"]
    assert table.languages["A"] == Language("A", "programming", ("a", "A", "c"), (), (), ("a",), "#112233", "")
    assert table.languages["B"] == Language(
        "B", "data", ("a", "b"), ("Bfile",), ("run",), ("b", "bee", "bee2"), "", "A"
    )
    assert table.by_file_name["Bfile"] == table.by_interpreter["run"] == (table.languages["B"],)
    assert table.modes == {"x": table.languages["A"], "y": None}


@pytest.mark.parametrize(
    ("additions", "problem"),
    [
        ({"languages": {"C": {"extensions": "a"}}}, "C is not in the table"),
        ({"languages": {"A": {"extension": "a"}}}, "A: unknown extension"),
        ({"languages": {"A": {"extensions": "a x"}}}, "A: extensions has a already"),
        ({"languages": {"A": {"aliases": "X"}}}, "X of A is taken or not in lower case"),
        ({"languages": {"A": {"aliases": "bee"}}}, "bee of B is taken"),
        ({"languages": {"A": {"names": "Bfile"}}}, "default_names: Bfile should be one of A, B"),
        ({"languages": {"A": {"interpreters": "run"}}}, "default_interpreters: run should be one of A, B"),
        ({"defaults": {}}, "defaults: a should be one of A, B"),
        ({"defaults": {"a": "C"}}, "defaults: a should be one of A, B"),
        ({"defaults": {"a": "B", "b": "B"}}, "not shared by any two languages: b"),
    ],
    ids=lambda value: value.replace(" ", "-") if isinstance(value, str) else "",
)
def test_contradictions(additions, problem):
    with pytest.raises(ValueError, match=problem):
        build(ROWS, {**GOOD, **additions})


def test_import_reads_nothing():
    """Commands import this library whether they detect or not: the table and its reader come with the first call."""
    code = "import sys, starloom.languages; print('tomllib' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
