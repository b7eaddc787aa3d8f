"""What packed tokens are, in numbers: counted in the tokens as a person would, and shown on a page."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.tokens import pack_report, shards
from starloom.tokens.pack_report import look, packing
from starloom.tokens.pack_report_page import page
from starloom.tokens.packed import Packed
from starloom.tokens.packing import METHODS
from starloom.tokens.special_tokens import SPECIAL_IDS, find_markers
from starloom.workspace.atomic import publish

VOCABULARY = 60
PREFIX, MIDDLE, SUFFIX, REPOSITORY, FILE, END = (
    SPECIAL_IDS[f"<{name}>"]
    for name in ("fim_prefix", "fim_middle", "fim_suffix", "repo_name", "file_sep", "|endoftext|")
)
MARKERS = find_markers(SPECIAL_IDS, END, frozenset())
MARKED = {"<NAME>": 34, "<EMAIL>": 35}


def laid_out(kind, text):
    """A file's tokens, its separator first."""
    first, second = text[: len(text) // 2], text[len(text) // 2 :]
    return {
        "plain": [FILE, *text],
        "psm": [FILE, PREFIX, 41, *first, SUFFIX, *second, MIDDLE, 42],
        "spm": [FILE, PREFIX, SUFFIX, *second, MIDDLE, *first],
    }[kind]


files = st.tuples(st.sampled_from(["plain", "psm", "spm"]), st.lists(st.sampled_from([34, 35, 43, 59]), max_size=5))
repositories = st.lists(st.tuples(st.booleans(), st.lists(files, min_size=1, max_size=4)), min_size=1, max_size=8)


def make(folder, drawn, sources=(shards.ONLY,), variants=1, facts=()):
    """The same documents in every stream; pieces as `pack` has them: a file without its separator."""
    documents, pieces = [], []
    at = 0
    for number, (named, some) in enumerate(drawn):
        start = at
        tokens = [REPOSITORY, 40] if named else []
        for kind, text in some:
            one = laid_out(kind, text)
            if len(one) > 1:
                pieces.append((number, "", "a.py", None, None, start + len(tokens) + 1, len(one) - 1))
            tokens += one
        documents.append([*tokens, END])
        at += len(documents[-1])
    lengths = list(map(len, documents))
    firsts = np.cumsum([0, *lengths])[:-1]
    numbers = list(range(len(documents)))
    table = pa.table([numbers, [f"r{number}" for number in numbers], firsts, lengths], schema=shards.DOCUMENTS)
    columns = list(zip(*pieces, strict=True)) or [[] for _ in shards.PIECES]
    rows = pa.table(list(map(list, columns)), schema=shards.PIECES)
    stream = np.array(list(itertools.chain(*documents)))
    with publish(folder, kind=shards.KIND, version=1, fingerprint="", inputs={}, settings={}, replace=True) as draft:
        streams = {
            (name := shards.stream_name(source, variant)): shards.write_stream(
                draft, name, iter([stream]), shards.dtype_of(VOCABULARY), table, [rows]
            )
            for source in sources
            for variant in range(variants)
        }
        draft.facts = {
            "sources": list(sources),
            "variants": variants,
            "streams": streams,
            "vocabulary": VOCABULARY,
            "tokenizer": "0" * 64,
            "dtype": "uint16",
        } | dict(facts)
    return Packed.open(folder)


@settings(max_examples=40)
@given(repositories, st.integers(1, 50))
def test_what_is_seen_is_what_is_there(fresh, drawn, chunk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pack_report, "_CHUNK", chunk)
        packed = make(fresh() / "tokens", drawn)
        found = look(packed.stream(shards.ONLY, 0), MARKERS, MARKED)
    kinds = [[kind for kind, _ in some] for _, some in drawn]
    every = list(itertools.chain(*kinds))
    texts = [token for _, some in drawn for _, text in some for token in text]
    assert (found.tokens, found.documents) == (packed.tokens, len(drawn))
    assert found.files == sum(kind != "plain" or bool(text) for _, some in drawn for kind, text in some)
    assert found.named_documents == sum(named for named, _ in drawn)
    assert found.cut_documents == sum(any(kind != "plain" for kind in some) for some in kinds)
    assert found.cut_files == sum(kind != "plain" for kind in every)
    assert found.suffix_first == every.count("spm")
    assert found.marked == {name: texts.count(number) for name, number in MARKED.items()}


def test_of_a_long_stream_some_documents_are_looked_at(tmp_path):
    drawn = [(number % 3 == 0, [("spm", [43, 34])]) for number in range(30)]
    stream = make(tmp_path / "tokens", drawn).stream(shards.ONLY, 0)
    found = look(stream, MARKERS, MARKED, most=-(-stream.tokens // 3))
    assert (found.documents, found.named_documents, found.cut_files, found.files) == (10, 10, 10, 10)
    assert found.marked["<NAME>"] == 10
    assert found.shares() == {"metadata": 1.0, "cut_documents": 1.0, "cut_files": 1.0, "suffix_first": 1.0}


def test_shares_of_nothing_are_none(tmp_path):
    stream = make(tmp_path / "tokens", [(False, [("plain", [])])]).stream(shards.ONLY, 0)
    found = look(stream, MARKERS, MARKED).shares()
    assert found == {"metadata": 0.0, "cut_documents": 0.0, "cut_files": None, "suffix_first": None}


def test_a_tokenizer_with_one_order(tmp_path):
    from dataclasses import replace

    stream = make(tmp_path / "tokens", [(True, [("psm", [43]), ("plain", [43])])]).stream(shards.ONLY, 0)
    found = look(stream, replace(MARKERS, order="spm", repo_name=None), {})
    assert (found.suffix_first, found.named_documents, found.marked) == (1, 0, {})


@pytest.mark.parametrize("method", METHODS)
def test_packings(tmp_path, method):
    stream = make(tmp_path / "tokens", [(False, [("plain", [43] * 20)])] * 4).stream(shards.ONLY, 0)
    found = packing(stream, 10, method)
    assert found["tokens"] + found["lost"] == stream.tokens
    assert found["rows"] * 10 == found["tokens"] + found["padding"]
    assert found["cut_documents"] == 4
    few = packing(stream, 1000, method)  # more than there is: no error for somebody who looks
    assert (few["rows"], few["lost"]) == ((1, 0) if method == "best-fit" else (0, stream.tokens))


def test_the_report_and_its_page(tmp_path, monkeypatch):
    drawn = [(True, [("spm", [43, 34]), ("plain", [44])]), (False, [("plain", [45] * 30)])]
    facts = {"repository_rate": 0.5, "file_rate": 0.5, "spm_rate": 0.5, "text_bytes": 1000}
    packed = make(tmp_path / "tokens", drawn, ("python", "rest"), 2, facts)
    tokenizer = type("Known", (), {"markers": MARKERS, "marked": MARKED})()
    found = pack_report.pack_report(packed, tokenizer, (16, 4096))
    assert [(one["source"], one["variant"]) for one in found["streams"]] == [
        ("python", 0),
        ("python", 1),
        ("rest", 0),
        ("rest", 1),
    ]
    assert found["settings"] == {
        "repository_rate": 0.5,
        "file_rate": 0.5,
        "spm_rate": 0.5,
        "metadata_rate": 0.5,
    }
    first = found["streams"][0]
    assert (first["documents"], first["files"]) == (2, 3)
    assert first["seen"]["shares"] == {"metadata": 0.5, "cut_documents": 0.5, "cut_files": 0.3333, "suffix_first": 1.0}
    assert [(one["sequence"], one["method"]) for one in first["packings"]] == [
        (16, "best-fit"),
        (16, "concatenate"),
        (4096, "best-fit"),
        (4096, "concatenate"),
    ]
    assert "packings" not in found["streams"][1]
    text = page(found)
    assert "in 2 variants" in text
    assert "4 <NAME>" in text
    assert "  settings           50.0 %         50.0 %     25.0 %        50.0 %" in text
    assert max(map(len, text.splitlines())) < 120
    found["streams"][0]["laid_out"] = {"cut": 4, "syntax": 3, "no_grammar": 1, "not_parsed": 0}
    assert "  75.0 %          1  2 documents" in page(found)
    without = pack_report.pack_report(packed, None, (16,))
    assert [one["seen"] for one in without["streams"]] == [None] * 4
    assert "as drawn" not in page(without)
