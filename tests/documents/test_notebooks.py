"""Notebooks of every version and of none, as scripts and as structured documents."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.documents.notebooks import OUTPUT_CHARACTERS, NotebookError, parse, script, structured
from starloom.documents.sections import MARKS, joined, sections, written


def notebook(*cells, language="python", **more):
    return json.dumps({"nbformat": 4, "metadata": {"language_info": {"name": language}}, "cells": list(cells), **more})


def text(source):
    return {"cell_type": "markdown", "source": source}


def code(source, *outputs):
    return {"cell_type": "code", "source": source, "outputs": list(outputs)}


def stream(said):
    return {"output_type": "stream", "name": "stdout", "text": said}


def parts(found):
    whole = structured(parse(found))
    return [(one.kind, whole[one.start : one.end]) for one in sections(whole)]


def test_a_script_has_the_text_as_comments():
    found = notebook(text(["# Sums\n", "\n", "of *numbers*"]), code(["x = 1\n", "x"]), code("%matplotlib inline\n!ls"))
    assert script(parse(found)) == "# # Sums\n#\n# of *numbers*\n\nx = 1\nx\n\n# %matplotlib inline\n# !ls\n"


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("python", "# A"),
        ("R", "# A"),
        ("javascript", "// A"),
        ("julia", "# A"),
        ("haskell", "-- A"),
        ("ocaml", "(* A *)"),
    ],
)
def test_comments_are_those_of_the_language(language, line):
    assert script(parse(notebook(text("A"), code("1"), language=language))) == f"{line}\n\n1\n"


def test_a_cell_in_another_language_is_a_comment():
    assert script(parse(notebook(code("%%bash\nls\n\ndate")))) == "# %%bash\n# ls\n#\n# date\n"


def test_neighbours_are_one_part_with_the_last_output():
    found = notebook(text("A"), text("B"), code("a", stream("1")), code("b", stream("2"), stream("3\n")), text("C"))
    assert parts(found) == [("text", "A\nB"), ("code", "a\nb"), ("output", "3"), ("text", "C")]


def test_outputs_are_text_alone():
    image = {"output_type": "display_data", "data": {"image/png": "aaaa", "text/plain": ["<Figure>\n"]}}
    error = {"output_type": "error", "ename": "ValueError", "evalue": "no", "traceback": ["\x1b[31mlong"]}
    found = notebook(
        text("A"), code("a", image), text("B"), code("b", error), text("C"), code("c", stream("\x1b[31mx"))
    )
    assert [said for kind, said in parts(found) if kind == "output"] == ["<Figure>", "ValueError: no", "x"]


def test_a_long_output_is_cut_at_a_line():
    found = notebook(text("A"), code("a", stream("123456789\n" * OUTPUT_CHARACTERS)))
    (said,) = (said for kind, said in parts(found) if kind == "output")
    assert said.endswith("\n123456789")
    assert OUTPUT_CHARACTERS - 10 <= len(said) <= OUTPUT_CHARACTERS


def test_version_3():
    cells = [
        {"cell_type": "heading", "level": 2, "source": "Sums"},
        {"cell_type": "code", "language": "python", "input": "1", "outputs": [{"output_type": "pyout", "text": "1"}]},
    ]
    found = json.dumps({"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": cells}]})
    assert parts(found) == [("text", "## Sums"), ("code", "1"), ("output", "1")]
    assert script(parse(found)) == "# ## Sums\n\n1\n"


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ('{"cells": [', "no JSON"),
        ("", "no JSON"),
        ("[]", "not an object"),
        ("{}", "neither cells nor worksheets"),
        ('{"cells": 3}', "neither cells nor worksheets"),
        ("[" * 100_000, "nested too deeply"),
        (json.dumps({"cells": [0] * 100_001}), "more than 100,000 cells"),
    ],
)
def test_no_notebook(found, reason):
    with pytest.raises(NotebookError, match=reason):
        parse(found)


@pytest.mark.parametrize(
    "cell", [None, 3, [], {}, {"cell_type": 3}, code(None), code([1, {}]), code("x", 3, {"data": 1})]
)
def test_cells_of_wrong_types_are_left_out(cell):
    found = parse(notebook(text("A"), cell, code("1")))
    assert [one.text for one in found.cells if one.text != "x"] == ["A", "1"]


@pytest.mark.parametrize("language", ["R", "klingon", 3])
def test_only_python_is_structured(language):
    assert structured(parse(notebook(text("A"), code("1"), language=language))) == ""


def test_without_text_or_language_there_is_no_document():
    assert structured(parse(notebook(code("1")))) == ""
    assert script(parse(notebook(code("1"), language="klingon"))) == ""
    assert script(parse(notebook(text("A")))) == ""


_JSON = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["source", "data", "text"]), inner),
    max_leaves=8,
)


@given(
    st.lists(
        st.fixed_dictionaries({"cell_type": st.sampled_from(["code", "markdown"]), "source": _JSON, "outputs": _JSON})
    )
)
def test_any_json_has_an_answer_that_is_utf8(cells):
    found = parse(notebook(*cells))
    assert (script(found) + structured(found)).encode().count(0) == 0


@given(st.lists(st.tuples(st.sampled_from(sorted(MARKS)), st.text().map(written))))
def test_parts_are_found_again(given_parts):
    whole = joined(given_parts)
    assert [(one.kind, whole[one.start : one.end]) for one in sections(whole)] == given_parts


def test_halves_of_characters_are_replaced():
    assert written("a\ud800b\x00\x1d") == "a\ufffdb"
