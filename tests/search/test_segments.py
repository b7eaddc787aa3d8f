"""What tantivy is given: for every field the files of every term, held to a plain model."""

import itertools
import json
import random
from collections import defaultdict

import numpy as np
import pytest
import tantivy

from starloom.languages import is_test
from starloom.search import fields, identifiers, layout, segments
from starloom.search.borders import of_piece
from starloom.search.matching import license_terms
from starloom.search.nodes import fold

PIECES = [
    *"abcXYZ09_ .\n\t(){}éÉİ\u212aßΣς中😀\x00", "HTTPServer", "read_json", "utf8Decoder", "__init__",
    "Foo", "FOO", "foo", "x" * 120, "aB" * 55,
]  # fmt: skip


def some_files(chance, number):
    """(row, text) of files whose texts break tokenizers."""
    found = []
    for _ in range(number):
        text = "".join(chance.choices(PIECES, k=chance.randrange(40)))
        row = {
            "path": "".join(chance.choices(["src/", "a", "_", "B", "é", ".py", "Ö"], k=4)) or None,
            "repo_name": chance.choice(["Here/One", "there/é", None]),
            "language": chance.choice(["C++", "Emacs Lisp", None]),
            "license_type": chance.choice(["permissive", None]),
            "detected_licenses": chance.choice([["MIT OR Apache-2.0"], [], None]),
            "symbols": chance.choice([None, [], ["Tree", "tree", "operator ()", "É"]]),
            "rank": chance.getrandbits(64),
        }
        found.append((row, text.encode()))
    return found


def model(files, first=0):
    """By field and term, the numbers of the files."""
    found = {name: defaultdict(set) for name in json_fields()}
    for number, (row, data) in enumerate(files, first):
        text = data.decode()
        for name, terms in terms_of(row, text).items():
            for term in terms:
                found[name][term].add(number)
    return {name: dict(terms) for name, terms in found.items()}


def json_fields():
    return [
        fields.CODE, fields.PARTS, fields.CASED, fields.GRAMS, fields.BORDERS,
        fields.NAME, fields.PATH_GRAMS, fields.REPO_GRAMS,
        fields.REPO, fields.LANGUAGE, fields.LICENSE, fields.SYMBOLS, fields.CASED_SYMBOLS,
    ]  # fmt: skip


def terms_of(row, text):
    path, repository = row["path"] or "", row["repo_name"] or ""
    whole, parts = words(text)
    symbols = row["symbols"] or []
    return {
        fields.CODE: folded(whole),
        fields.PARTS: folded(parts) - folded(whole),
        fields.CASED: {word for word in whole | parts if word != word.lower()},
        fields.GRAMS: grams(text),
        fields.BORDERS: of_piece(fold(text).encode()),
        fields.NAME: folded(set().union(*words(path.rpartition("/")[2]))),
        fields.PATH_GRAMS: grams(path),
        fields.REPO_GRAMS: grams(repository),
        fields.REPO: {repository},
        fields.LANGUAGE: {row["language"]} - {None},
        fields.LICENSE: set(license_terms(row["license_type"], row["detected_licenses"])),
        fields.SYMBOLS: folded(symbols),
        fields.CASED_SYMBOLS: set(symbols),
    }


def words(text):
    """(identifiers, parts of them) that are no data."""
    whole = {word for word in identifiers.identifiers(text) if len(word) < fields.LONGEST_WORD}
    return whole, {part for word in whole for part in identifiers.parts(word)}


def folded(terms):
    return set(map(fold, terms))


def grams(text):
    data = (fold(text) + fields.PAD).encode()
    return {fields.gram_term(data[at : at + 3]) for at in range(len(data) - 2)}


def read(folder):
    """The same of an index."""
    index = tantivy.Index.open(str(folder))
    searcher = index.searcher()
    found = {name: {} for name in json_fields()}
    for name, terms in found.items():
        for term, _ in searcher.terms_with_prefix(name, "", limit=1_000_000):
            query = tantivy.Query.term_query(index.schema, name, term, "basic")
            hits = searcher.search(query, 1_000, order_by_field=fields.NUMBER, order=tantivy.Order.Asc).hits
            if hits:  # a term may have deleted files only
                terms[term] = {number for number, _ in hits}
    return found


@pytest.mark.parametrize("seed", range(3))
def test_every_term_of_every_field(tmp_path, seed):
    files = some_files(random.Random(seed), 25)
    segments.make(tmp_path, files, 7)
    assert read(tmp_path) == model(files, 7)


def test_ranks(tmp_path):
    files = some_files(random.Random(3), 20)
    segments.make(tmp_path, files, 0)
    index = tantivy.Index.open(str(tmp_path))
    found = index.searcher().search(tantivy.Query.all_query(), 20, order_by_field=fields.RANK, order=tantivy.Order.Asc)
    assert [rank for rank, _ in found.hits] == sorted(row["rank"] for row, _ in files)


@pytest.mark.parametrize(("indexes", "gone"), [(1, 3), (3, 0), (3, 9), (segments.MANY + 1, 0), (segments.MANY, 40)])
def test_indexes_put_together(tmp_path, indexes, gone):
    """Several become one; rows are deleted; files that were there are not written again."""
    chance = random.Random(indexes)
    files = some_files(chance, 5 * indexes)
    folders = []
    for number in range(indexes):
        folders.append(tmp_path / str(number))
        folders[-1].mkdir()
        segments.make(folders[-1], files[5 * number : 5 * number + 5], 5 * number)
    whole = tmp_path / "whole"
    whole.mkdir()
    for folder in folders:
        for name in segments.files_of(folder):
            (whole / name).hardlink_to(folder / name)
    segments.put_together(whole, [(folder / layout.META).read_bytes() for folder in folders])
    before = {path: path.read_bytes() for folder in folders for path in folder.iterdir()}
    numbers = chance.sample(range(5 * indexes), gone)
    segments.settle(whole, np.array(numbers, dtype=np.int64))
    expected = model(files)
    for terms in expected.values():
        for term in list(terms):
            terms[term] -= set(numbers)
            if not terms[term]:
                del terms[term]
    assert read(whole) == expected
    assert before == {path: path.read_bytes() for path in before}
    meta = json.loads((whole / layout.META).read_text())
    assert len(meta["segments"]) < segments.MANY
    stems = {segment["segment_id"].replace("-", "") for segment in meta["segments"]}
    assert {name.partition(".")[0] for name in segments.files_of(whole)} == stems


def test_small_segments_become_one(tmp_path, monkeypatch):
    """Every segment is a pass of every question."""
    monkeypatch.setattr(segments, "_FILES", 3)
    files = some_files(random.Random(7), 25)
    segments.make(tmp_path, files, 4)
    for many in (9, 1):
        assert len(json.loads((tmp_path / layout.META).read_text())["segments"]) == many
        assert read(tmp_path) == model(files, 4)
        segments.settle(tmp_path, np.zeros(0, np.int64))


def test_what_the_disk_refuses(tmp_path):
    def refuse(words):
        with segments.disk_errors(tmp_path):
            raise ValueError(words)

    with pytest.raises(OSError, match="ENOSPC"):
        refuse("An IO error occurred: 'No space left on device (os error 28)'")
    with pytest.raises(ValueError, match="Field"):
        refuse("Field `x` is not there")


# The fields' own functions


def test_trigrams_of_all_bytes_have_a_term_each():
    terms = {fields.gram_term(bytes(gram)) for gram in itertools.product([0, 1, 63, 64, 127, 128, 255], repeat=3)}
    assert len(terms) == 7**3
    assert all(len(term) == 4 and set(term) <= set(fields.ALPHABET) for term in terms)


def test_rank_puts_own_code_and_stars_first():
    def rank(path, is_vendor=False, is_generated=False, stars=0):
        return fields.rank("a/b", path, "0" * 40, is_vendor, is_generated, stars)

    assert is_test("tests/x.py")
    order = [
        rank("x.py", stars=200_000),
        rank("x.py", stars=900),
        rank("x.py", stars=3),
        rank("x.py"),
        rank("tests/x.py", stars=10_000),
        rank("x.py", is_vendor=True, stars=10_000),
        rank("x.py", is_generated=True, stars=10_000),
    ]
    assert order == sorted(order)
    assert all(0 <= one < 2**63 for one in order)
    assert rank("x.py", stars=900) >> 56 == rank("y.py", stars=700) >> 56  # within a step it is chance
    assert len({fields.rank("a/b", "x.py", str(number), False, False, 5) for number in range(1000)}) == 1000
