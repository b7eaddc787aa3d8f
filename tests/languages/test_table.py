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
    "Vim Script",
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
    assert len(table.languages) > 500
    assert len(table.by_extension) > 900


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
        ("nothing", None),
        ("", None),
    ],
)
def test_by_name(asked, name):
    found = by_name(asked)
    assert (found.name if found else None) == name


@pytest.mark.parametrize("language", load().languages.values(), ids=lambda language: language.name)
def test_every_language(language: Language):
    assert language.extensions or language.names or language.interpreters  # there is a way to find it
    assert language.name.lower() == language.aliases[0]
    for found in (language.extensions, language.names, language.interpreters, language.aliases):
        assert len(set(found)) == len(found)
    for extension in language.extensions:
        assert extension
        assert not extension.startswith(".")
        assert "/" not in extension
        assert extension.count(".") < _MAX_DOTS  # or detection would not look that far
        if extension != extension.lower():  # else the lower-cased attempt could never reach it, nor need it
            assert extension in ("C", "H", "ML", "E")
    assert by_name(language.name) is language


def test_maps_agree():
    table = load()
    for extension, languages in table.by_extension.items():
        assert all(extension in language.extensions for language in languages)
    assert len(table.by_alias) == sum(len(language.aliases) for language in table.languages.values())


GOOD = {"programming": {"A": {"extensions": "a"}, "B": {"extensions": "a b"}}, "defaults": {"a": "B"}}


def test_build():
    table = build(GOOD)
    assert [language.name for language in table.by_extension["a"]] == ["B", "A"]
    assert table.languages["A"].kind == "programming"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"data": {"A": {"extensions": "a"}}, "prose": {"A": {"extensions": "b"}}}, "A is there twice"),
        ({"data": {"A": {"extensions": "a a"}}}, "extensions lists something twice"),
        ({"data": {"A": {"extension": "a"}}}, "unknown extension"),
        ({"data": {"A": {"aliases": "x"}}}, "no file can be found"),
        ({"data": {"A": {"extensions": "a", "aliases": "X"}}}, "lower case"),
        ({"data": {"A": {"extensions": "a", "aliases": "a"}}}, "without being listed"),
        ({"data": {"A": {"names": "x"}, "B": {"names": "x"}}}, "names: x is listed by A and B"),
        ({"data": {"A": {"interpreters": "x"}, "B": {"interpreters": "x"}}}, "x is listed by A and B"),
        ({"data": {"A": {"names": "x", "aliases": "b"}, "B": {"names": "y"}}}, "b is listed by A and B"),
        ({**GOOD, "defaults": {}}, "a should be one of A, B"),
        ({**GOOD, "defaults": {"a": "C"}}, "a should be one of A, B"),
        ({**GOOD, "defaults": {"a": "B", "b": "B"}}, "not shared by any two languages: b"),
    ],
)
def test_contradictions(document, problem):
    with pytest.raises(ValueError, match=problem):
        build(document)


def test_import_reads_nothing():
    """Commands import this library whether they detect or not: the table and its reader come with the first call."""
    code = "import sys, starloom.languages; print('tomllib' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
