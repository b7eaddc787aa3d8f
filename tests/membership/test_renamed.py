"""Copies with other names: found, labelled, and told from what is alike by chance."""

import ast
import random
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from membership.renaming import GO, JAVA, SAMPLES, C, renamed, renamed_python
from starloom.errors import UserError
from starloom.membership import renamed as finder
from starloom.membership.shard import Places

FILLER = "\n".join(f"settings.register('{name}', default={name!r})" for name in ("one", "two", "three"))


def library(*packages):
    """{path: text} of modules of the standard library."""
    base = Path(sysconfig.get_path("stdlib"))
    paths = [
        path
        for name in packages
        for path in sorted((base / name).glob("*.py") if (base / name).is_dir() else [base / f"{name}.py"])
    ]
    return {str(path): path.read_text(encoding="utf-8") for path in paths}


def functions(text, least):
    """The functions of a module, of at least so many lines with code on them, docstrings aside."""
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef):
            body = lines[node.lineno - 1 : node.end_lineno]
            docstring = ast.get_docstring(node, clean=False) or ""
            code = sum(bool(one.split("#")[0].strip()) for one in body) - len(docstring.splitlines())
            if code >= least:
                yield "".join(body)


def copies(found):
    return [match for match in found.matches if match.kind == "renamed"]


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """An index of the samples, each between other code."""
    from starloom.membership.check import Index

    from .conftest import write_index

    root = tmp_path_factory.mktemp("samples")
    texts = [f"{FILLER}\n{code}\n{FILLER}\n" for code in SAMPLES.values()]
    return Index.open(write_index(root / "w", texts, shards=2))


@pytest.mark.parametrize("language", SAMPLES)
def test_a_copy_in_any_language(samples, language):
    code = renamed(SAMPLES[language])
    before = "begin(1)\n" * 3
    found = samples.check(f"{before}{code}\nend(2)\n", renamed=True)
    [match] = copies(found)
    assert found.status == "match"
    assert match.reason == finder.REASON
    assert [file.path for file in match.files] == [f"{list(SAMPLES).index(language)}.py"]
    [file] = match.files
    assert file.permalink.endswith(f"#L{file.first_line}-L{file.last_line}")
    assert found.coverage == 0  # of exact ones
    assert match.characters > 0.9 * len("".join(code.split()))


def test_where_it_stands(index_of):
    """Lines and characters are those of either text, whatever stands around."""
    code = "\n".join(line for line in GO.splitlines() if line)
    there = f"{FILLER}\n\n\n{code}\n{FILLER}"
    text = f"# é\n\n{renamed(code)}\n?"
    [match] = copies(index_of([there]).check(text, renamed=True))
    [file] = match.files
    assert (match.first_line, match.last_line) == (3, 3 + code.count("\n"))
    assert text[match.start : match.end] == renamed(code)
    assert (file.first_line, file.last_line) == (6, 6 + code.count("\n"))
    assert (file.start, file.end) == (match.start, match.end)


def test_without_renamed_it_is_not_asked(samples):
    assert samples.check(renamed(C)).status == "no_match"


def test_an_exact_copy_is_no_renamed_one(samples):
    found = samples.check(C, renamed=True)
    assert {match.kind for match in found.matches} == {"exact"}


def test_an_exact_copy_and_a_renamed_one(samples):
    found = samples.check(JAVA + renamed(GO), renamed=True)
    assert {(match.kind, match.files[0].path) for match in found.matches} == {("exact", "1.py"), ("renamed", "3.py")}


def test_each_character_counts_once_under_an_exact_and_a_renamed_match(index_of):
    """The renamed one lies over exact ones, and white space stands unevenly in them."""
    there = f"{FILLER}\n{GO}\n{FILLER}"
    text = f"{FILLER}\n{renamed(GO)}\n{FILLER}".replace("\n", "\n" + " " * 40, 20)
    found = index_of([there]).check(text, renamed=True)
    assert {match.kind for match in found.matches} == {"exact", "renamed"}
    assert 0 < found.coverage < found.coverage_with_renamed <= 1
    [licensed] = found.licenses
    assert licensed.characters <= found.characters
    assert licensed.characters == round(found.coverage_with_renamed * found.characters)


def test_changed_logic_is_none(samples):
    """Names that are not changed alike everywhere, marks that differ: what is left is too short."""
    changed = renamed(C).replace("==", "!=").replace("+ 1", "- 1").replace("->", ".")
    assert not copies(samples.check(changed, renamed=True))


def test_two_names_that_become_one_are_none(samples):
    code = C.replace("node", "key").replace("table", "key").replace("value", "key")
    assert not copies(samples.check(renamed(code), renamed=True))


def test_an_index_without_shapes_says_so(index_of):
    index = index_of([C], renamed=False)
    with pytest.raises(UserError, match="without the shapes") as problem:
        index.check(renamed(C), renamed=True)
    assert "renamed = true" in problem.value.hint


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("int primes[] = {" + ", ".join(map(str, range(2, 600))) + "};\n", id="numbers"),
        pytest.param("".join(f"add('--{one}', type=int, default={one})\n" for one in range(60)), id="calls"),
        pytest.param("".join(f"to.field{one} = from.field{one};\n" for one in range(90)), id="assignments"),
        pytest.param("".join(f"import some.thing{one}.Name{one};\n" for one in range(90)), id="imports"),
    ],
)
def test_what_is_alike_everywhere_is_not_shown(index_of, text):
    assert not copies(index_of([text, C]).check(renamed(text), renamed=True))


def test_only_the_split_that_is_asked(index_of):
    index = index_of([C], [JAVA], splits=("train", "held_out"))
    text = renamed(C + JAVA)
    assert len(copies(index.check(text, renamed=True))) == 2
    assert [match.files[0].path for match in copies(index.check(text, renamed=True, split="train"))] == ["0.py"]


def test_many_files_with_it_make_it_common(index_of):
    variants = [renamed(C, seed) for seed in range(40)]
    [match] = copies(index_of(variants).check(renamed(C, 99), files=None, renamed=True))
    assert match.common
    assert match.total == 40
    assert match.reason.startswith(finder.REASON)
    assert "40 different files have it" in match.reason


def test_shards_answer_as_one(index_of):
    texts = [*library("json", "email", "logging", "heapq", "textwrap").values(), *SAMPLES.values()]
    asked = [renamed_python(code) for text in texts[:8] for code in functions(text, 12)][:10]
    asked.append(renamed(C) + "\n" + renamed(GO) + "\n" + renamed(JAVA))
    one, many = index_of(texts, shards=1), index_of(texts, shards=7)
    for text in asked:
        found, other = one.check(text, renamed=True), many.check(text, renamed=True)
        assert found.matches == other.matches
    assert copies(found)


def test_copies_of_functions_of_twenty_lines_are_found(index_of):
    texts = library(
        *("json", "email", "asyncio", "unittest", "concurrent/futures", "multiprocessing", "importlib"),
        *("heapq", "bisect", "textwrap", "shlex", "calendar", "inspect", "tokenize", "difflib", "statistics", "ast"),
        *(
            "random",
            "shutil",
            "glob",
            "locale",
            "mimetypes",
            "pickletools",
            "platform",
            "plistlib",
            "traceback",
            "uuid",
        ),
    )
    planted = [(path, code) for path, text in texts.items() for code in functions(text, 20)]
    random.Random(1).shuffle(planted)
    planted = planted[:60]
    assert len(planted) == 60
    index = index_of([*texts.values()])
    paths = [*texts]
    found = 0
    for path, code in planted:
        matches = copies(index.check(renamed_python(code), renamed=True))
        found += any(file.path == f"{paths.index(path)}.py" for match in matches for file in match.files)
    assert found >= 54  # 90 %


def test_other_code_is_hardly_ever_alike(index_of):
    """Measured on 64 MB of other packages: docs/membership.md. Here: two packages against another."""
    index = index_of([*library("email", "http", "urllib").values()])
    asked = [*library("asyncio", "unittest").values(), *SAMPLES.values()]
    alike = [text for text in asked if copies(index.check(text, renamed=True))]
    assert len(alike) <= 1


@pytest.mark.parametrize(
    "piece",
    ["f(a, b) + {c: 'd'} * [e];\n", "if (x == 1) { y = x; }\n", "(" * 50 + ")" * 50 + "\n", "\"'/*#", "é = ü;\n"],
    ids=["calls", "branches", "brackets", "quotes", "beyond-ascii"],
)
def test_text_that_repeats_itself(index_of, piece):
    index = index_of([piece * 3_000, C])
    found = index.check(piece * 9_000 + renamed(C), renamed=True)
    assert [match.files[0].path for match in copies(found) if match.files[0].path == "1.py"]


@pytest.mark.parametrize("text", ["", "x", "a b c " * 20, "\n" * 400, "#" * 300])
def test_texts_without_shapes(samples, text):
    assert not copies(samples.check(text, renamed=True))


def test_so_many_contents_are_compared_those_with_the_most_places_first(monkeypatch):
    monkeypatch.setattr(finder, "_CONTENTS", 2)
    numbers = np.array([0, 1, 1, 2, 2, 3], dtype=np.int64)
    places = Places(np.zeros((4, 20), dtype=np.uint8), numbers, numbers, numbers, numbers, np.zeros(9, np.int64))
    assert finder._voted(places, 0).content.tolist() == [1, 1, 2, 2]
    assert finder._voted(places, 640) is places
