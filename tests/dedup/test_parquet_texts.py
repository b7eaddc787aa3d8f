"""Texts in Parquet files give what the same texts give in memory, however they are laid out and shared."""

import errno
import itertools
import random

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.dedup import MinHashSettings, near_duplicates
from starloom.dedup import mapped as mapped_module
from starloom.dedup import text_files as text_files_module
from starloom.dedup.mapped import Columns
from starloom.dedup.parquet_texts import TextFile, measure_files, near_duplicates_in_files, verify_files
from starloom.dedup.signature import measure
from starloom.dedup.text_files import portions, runs
from starloom.dedup.verify import verify
from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.kernels.text import text_buffers

SETTINGS = MinHashSettings()


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    with LocalEngine(EngineSettings(workers=1), tmp_path_factory.mktemp("spill")) as local:
        yield local


@pytest.fixture
def scratch(tmp_path):
    return tmp_path / "scratch"


def laid_out(folder, texts, cuts, group=None, kind=None, column="content"):
    """`texts` as Parquet files that end at `cuts`, in row groups of `group` rows."""
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for number, (start, stop) in enumerate(itertools.pairwise([0, *cuts, len(texts)])):
        path = folder / f"{number}.parquet"
        some = pa.array(texts[start:stop], kind or pa.string())
        pq.write_table(pa.table({"other": pa.nulls(len(some)), column: some}), path, row_group_size=group)
        found.append(TextFile(path, column))
    return found


def equal(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


LAYOUTS = {
    "one file": ([], None, pa.string()),
    "row groups of three": ([], 3, pa.string()),
    "files of any size, one empty": ([1, 1, 250], 70, pa.large_string()),
    "a dictionary": ([90], 40, pa.dictionary(pa.int32(), pa.string())),
    "bytes": ([90], 100, pa.binary()),
    "views": ([90], 100, pa.string_view()),
}


@pytest.mark.parametrize(("cuts", "group", "kind"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_layout_does_not_matter(corpus, engine, scratch, tmp_path, cuts, group, kind):
    texts = [*corpus[:300], "", None, "a b", corpus[0].upper()]
    if pa.types.is_binary(kind):
        texts = [None if text is None else text.encode() for text in texts]
    files = laid_out(tmp_path, texts, cuts, group, kind)
    rank = np.random.default_rng(1).permutation(len(texts)) // 2  # with ties
    within = [None if k % 3 == 0 else k % 3 for k in range(len(texts))]
    for groups, least in ((None, 20), (within, 5)):
        found = near_duplicates_in_files(engine, files, 0.6, rank, within=groups, scratch=scratch)
        in_memory = pa.array([text.decode() if isinstance(text, bytes) else text for text in texts])
        assert equal(found, near_duplicates(in_memory, 0.6, rank, within=groups))
        assert len(found.left) > least
    assert not list(scratch.iterdir())  # what it wrote is gone


def test_the_workers_do_not_matter(corpus, engine, scratch, tmp_path, monkeypatch):
    monkeypatch.setattr(text_files_module, "_RUN_BYTES", 1 << 18)
    files = laid_out(tmp_path, corpus, [500, 900], 50)
    assert len(runs(files)) > 10
    found = near_duplicates_in_files(engine, files, scratch=scratch)
    with LocalEngine(EngineSettings(workers=2), tmp_path / "spill") as two:
        assert equal(near_duplicates_in_files(two, files, scratch=scratch), found)


@pytest.mark.parametrize("tokenisation", ["bigcode-v2", "text-dedup"])
def test_other_tokenisations(corpus, engine, scratch, tmp_path, tokenisation):
    settings = MinHashSettings(tokenisation)
    found = near_duplicates_in_files(engine, laid_out(tmp_path, corpus, []), settings=settings, scratch=scratch)
    assert equal(found, near_duplicates(pa.array(corpus), settings=settings))
    assert len(found.left) > 100


@settings(max_examples=60)
@given(data=st.data())
def test_measured_as_in_memory(engine, tmp_path_factory, data):
    word = st.sampled_from(["a", "b ", "é", "\u0130", "\U0001f600", " x9", "\n", ""])
    texts = data.draw(st.lists(st.none() | st.lists(word, max_size=30).map("".join), max_size=12))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(texts)), max_size=3)))
    folder = tmp_path_factory.mktemp("measured")
    files = laid_out(folder, texts, cuts, data.draw(st.integers(1, 5)))
    found = measure_files(engine, files, SETTINGS, folder / "scratch")
    wanted = measure(*text_buffers(pa.array(texts, pa.string())), SETTINGS)
    assert equal(found, wanted)
    assert found.bands.shape == (len(texts), SETTINGS.bands)


def test_verified_as_in_memory(corpus, engine, scratch, tmp_path):
    texts = corpus[:400]
    offsets, data = text_buffers(pa.array(texts))
    dice = np.random.default_rng(2)
    left, right = dice.integers(50, 300, 5_000), dice.integers(50, 300, 5_000)
    pairs = np.flatnonzero(left != right)
    left, right = left[pairs], right[pairs]
    jaccard, size = verify_files(engine, laid_out(tmp_path, texts, [120], 17), left, right, 0.001, "words", scratch)
    assert np.array_equal(jaccard, verify(offsets, data, left, right, 0.001))
    assert (jaccard >= 0.001).sum() > 50
    touched = np.union1d(left, right)
    assert size == sum(len(texts[row].encode()) for row in touched.tolist())


def test_pairs_are_compared_a_few_sets_at_a_time(corpus, engine, scratch, tmp_path, monkeypatch):
    from starloom.dedup import parquet_texts

    files = laid_out(tmp_path, corpus[:100], [])
    left, right = (one.ravel() for one in np.triu_indices(100, 1))
    wanted = verify_files(engine, files, left, right, 0.2, "words", scratch)
    monkeypatch.setattr(parquet_texts, "_SET_BYTES", 20_000)
    monkeypatch.setattr(parquet_texts, "_PAIRS", 1_000)
    assert equal(verify_files(engine, files, left, right, 0.2, "words", scratch), wanted)


@pytest.mark.parametrize(
    ("left", "right"), [([0], [3]), ([-1], [0]), ([0, 1], [2])], ids=["past the end", "before the first", "lengths"]
)
def test_pairs_that_cannot_be(engine, scratch, tmp_path, left, right):
    files = laid_out(tmp_path, ["a", "b", "c"], [1])
    with pytest.raises(ValueError, match=r"not there|differ"):
        verify_files(engine, files, np.array(left), np.array(right), 0.7, "words", scratch)


def test_a_column_of_nulls_is_empty_texts(engine, scratch, tmp_path):
    (file,) = laid_out(tmp_path, [None, None], [], kind=pa.null())
    assert measure_files(engine, [file], SETTINGS, scratch).tokens.tolist() == [0, 0]


@pytest.mark.parametrize("files", [0, 1], ids=["no file", "a file without rows"])
def test_nothing(engine, scratch, tmp_path, files):
    found = near_duplicates_in_files(engine, laid_out(tmp_path, [], [])[:files], scratch=scratch)
    assert len(found.keeper) == found.candidates == 0


def test_rows_that_nobody_wants_are_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(text_files_module, "_BATCH_BYTES", 12)
    (run,) = runs(laid_out(tmp_path, [f"text {k}" for k in range(20)], [], 4))
    found = [(rows.tolist(), texts.take(of).to_pylist()) for rows, texts, of in portions(run, np.array([5, 17, 18]))]
    assert [one for numbers, _ in found for one in numbers] == [5, 17, 18]
    assert [one for _, texts in found for one in texts] == ["text 5", "text 17", "text 18"]
    # The third row group is damaged: nobody sees it who does not ask for it.
    metadata = pq.read_metadata(run.file.path)
    with run.file.path.open("r+b") as file:
        file.seek(metadata.row_group(2).column(1).data_page_offset)
        file.write(b"\xff" * 20)
    assert [len(one.texts) for one in portions(run, np.array([0, 19]))] == [1, 1]
    with pytest.raises(UserError, match="cannot read"):
        list(portions(run, np.array([9])))


def test_a_text_that_a_group_has_a_thousand_times_is_held_once(tmp_path):
    """Its 100 MB are 100 kB in the file, so what the metadata says of sizes is no help."""
    texts = ["x" * 100_000, "y"] * 1_000
    (file,) = laid_out(tmp_path, texts, [])
    found = [one for run in runs([file]) for one in portions(run)]
    assert max(one.texts.nbytes for one in found) < 2e5
    assert [row for one in found for row in one.rows] == list(range(2_000))
    read = pa.chunked_array([one.texts.take(one.of) for one in found])
    assert read.equals(pa.chunked_array([texts], pa.large_string()))


def test_a_bad_text_that_nobody_wants_does_no_harm(tmp_path):
    (file,) = laid_out(tmp_path, [b"a", b"\xff", b"c"], [], kind=pa.binary())
    (run,) = runs([file])
    assert [one.texts.to_pylist() for one in portions(run, np.array([0, 2]))] == [["a", "c"]]


BAD = {
    "not there": (None, "cannot read"),
    "no Parquet": (b"PAR1 no more PAR1", "cannot read"),
    "another column": (pa.table({"text": ["a"]}), "no column `content`.*|text"),
    "the column twice": (pa.table([["a"], ["b"]], names=["content", "content"]), "two columns"),
    "numbers": (pa.table({"content": [1]}), "holds int64"),
    "texts in lists": (pa.table({"content": [["a"]]}), "holds list"),
    "no UTF-8": (pa.table({"content": pa.array([b"fine", None, b"\xff\xfe", b"\xff"])}), "row 2 is no UTF-8"),
}


@pytest.mark.parametrize(("what", "message"), BAD.values(), ids=BAD)
def test_what_is_wrong_is_said_with_the_file(engine, scratch, tmp_path, what, message):
    path = tmp_path / "bad.parquet"
    if isinstance(what, bytes):
        path.write_bytes(what)
    elif what is not None:
        pq.write_table(what, path)
    files = [*laid_out(tmp_path / "good", ["a", "b"], []), TextFile(path)]
    with pytest.raises(UserError, match=message) as error:
        near_duplicates_in_files(engine, files, scratch=scratch)
    assert str(path) in error.value.problem
    assert not list(scratch.glob("*"))


@pytest.mark.parametrize(
    "arguments",
    [{"threshold": 0.0}, {"threshold": 1.5, "settings": SETTINGS}, {"rank": [1, 2]}, {"within": ["a", "b"]}],
    ids=["none", "too much", "ranks", "within"],
)
def test_refused(engine, scratch, tmp_path, arguments):
    with pytest.raises(UserError):
        near_duplicates_in_files(engine, laid_out(tmp_path, ["a"], []), **arguments, scratch=scratch)


def test_columns_are_what_was_written(tmp_path):
    dice = random.Random(3)
    table = Columns(tmp_path / "table", 50, 7).create()
    wanted = np.array([[dice.getrandbits(64) for _ in range(7)] for _ in range(50)], dtype=np.uint64)
    for start in (30, 0, 10, 40, 20):
        table.write(start, wanted[start : start + 10])
    assert np.array_equal(table.mapped(), wanted)
    assert table.mapped().flags.f_contiguous
    assert Columns(tmp_path / "none", 0, 7).create().mapped().shape == (0, 7)


def test_a_full_disk_is_said(tmp_path, monkeypatch):
    table = Columns(tmp_path / "table", 50, 7).create()

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(mapped_module.os, "pwrite", full)
    with pytest.raises(UserError, match="No space left"):
        table.write(0, np.zeros((1, 7), dtype=np.uint64))
