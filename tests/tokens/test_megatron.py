"""Megatron's pairs: what is written is what its own writer writes, what is read is what lies there; hostile ones are
refused. The golden bytes are from IndexedDatasetBuilder of megatron-core 0.16.1."""

import itertools
import struct
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faults import Fault
from starloom.commands._output import output
from starloom.errors import UserError
from starloom.progress import Task
from starloom.tokens import megatron
from starloom.tokens.megatron_import import SOURCE, import_pair
from starloom.tokens.packed import Packed
from starloom.workspace.manifest import verify
from tokens.packing import packed

BAR = Task("test", None, "bytes")
END = 0

# add_item([5, 6, 0]), add_item([7, 0]), each a document; add_document([1, 2, 3, 0], lengths=[3, 1])
GOLDEN = {
    "uint16": (
        "050006000000070000000100020003000000",
        "4d4d49444944580000" + "0100000000000000" + "08" + "0400000000000000" + "0400000000000000"
        "03000000" + "02000000" + "03000000" + "01000000"
        "0000000000000000" + "0600000000000000" + "0a00000000000000" + "1000000000000000"
        "0000000000000000" + "0100000000000000" + "0200000000000000" + "0400000000000000",
    ),
    "int32": (
        "050000000600000000000000070000000000000001000000020000000300000000000000",
        "4d4d49444944580000" + "0100000000000000" + "04" + "0400000000000000" + "0400000000000000"
        "03000000" + "02000000" + "03000000" + "01000000"
        "0000000000000000" + "0c00000000000000" + "1400000000000000" + "2000000000000000"
        "0000000000000000" + "0100000000000000" + "0200000000000000" + "0400000000000000",
    ),
}
DOCUMENTS = [[5, 6, 0], [7, 0], [1, 2, 3, 0]]
# add_item([5, 6, 0], mode=0), add_item([5], mode=1), multimodal=True
PICTURES = (
    "4d4d494449445800000100000000000000080200000000000000030000000000000003000000010000000000000000000000"
    "06000000000000000000000000000000010000000000000002000000000000000001"
)


def tokenizer(vocabulary=50, end=END):
    return SimpleNamespace(vocabulary=vocabulary, sha256="0" * 64, end_of_text=end)


def put(prefix, payload, index):
    prefix.with_suffix(".bin").write_bytes(payload)
    prefix.with_suffix(".idx").write_bytes(index)
    return prefix


def pair(prefix, dtype, tokens, lengths, pointers=None, borders=None, modes=b"", code=None):
    """A pair as the format's description has it; pointers in tokens."""
    dtype = np.dtype(dtype)
    pointers = np.cumsum([0, *lengths])[:-1] if pointers is None else np.array(pointers)
    borders = range(len(lengths) + 1) if borders is None else borders
    code = {"u1": 1, "i1": 2, "i2": 3, "i4": 4, "i8": 5, "u2": 8}[dtype.str[1:]] if code is None else code
    index = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, code, len(lengths), len(borders))
    index += np.array(lengths, "<i4").tobytes() + (pointers * dtype.itemsize).astype("<i8").tobytes()
    index += np.array(borders, "<i8").tobytes() + modes
    return put(prefix, np.array(tokens, dtype).tobytes(), index)


def export(folder, prefix, source=None):
    found = Packed.open(folder)
    payload, index = megatron.names(prefix)
    with output(index) as index_file, output(payload) as payload_file:
        megatron.write(found, found.stream(source or found.sources[0], 0), payload_file, index_file, BAR)
    return payload.read_bytes(), index.read_bytes()


def documents_of(folder):
    """What lies there, as lists; the pieces of each document, as lists of lists."""
    stream = Packed.open(folder).stream(SOURCE, 0)
    rows = stream.pieces(0, stream.tokens).to_pylist()
    found = [[] for _ in range(stream.documents)]
    for row in rows:
        found[row["document"]].append(stream.read(row["first_token"], row["first_token"] + row["tokens"]).tolist())
    whole = [stream.read(*bounds).tolist() for bounds in itertools.pairwise(stream.starts.tolist())]
    assert [list(itertools.chain(*pieces)) for pieces in found] == whole
    return found


@pytest.mark.parametrize(("dtype", "vocabulary"), [("uint16", 50), ("int32", 1 << 17)])
def test_written_as_megatron_writes(tmp_path, dtype, vocabulary):
    payload, index = export(packed(tmp_path / "tokens", DOCUMENTS, vocabulary), tmp_path / "pair")
    golden = bytes.fromhex(GOLDEN[dtype][1])
    assert payload.hex() == GOLDEN[dtype][0]
    assert len(index) == len(golden) - 12  # a document of ours is one sequence: the last one there are two
    width = 2 if dtype == "uint16" else 4
    assert index == b"MMIDIDX\0\0" + struct.pack(
        "<QBQQ3i3q4q", 1, golden[17], 3, 4, 3, 2, 4, 0, 3 * width, 5 * width, 0, 1, 2, 3
    )


@pytest.mark.parametrize("dtype", GOLDEN)
def test_what_megatron_wrote_comes_in_and_out_again(tmp_path, dtype):
    payload, index = map(bytes.fromhex, GOLDEN[dtype])
    found = import_pair(put(tmp_path / "golden", payload, index), tokenizer(), tmp_path / "in")
    assert (found.tokens, found.documents, found.sequences, found.ended) == (9, 3, 4, 3)
    assert documents_of(tmp_path / "in") == [[[5, 6, 0]], [[7, 0]], [[1, 2, 3], [0]]]
    there = Packed.open(tmp_path / "in")
    assert there.dtype == np.dtype("<u2")  # by the vocabulary, whatever it was
    stream = there.stream(SOURCE, 0)
    assert stream.pieces(0, 9).column("path").to_pylist() == [f"sequence {number}" for number in range(4)]
    assert stream.repo_names([0, 2]) == ["golden", "golden"]
    assert verify(tmp_path / "in") == []
    assert export(tmp_path / "in", tmp_path / "again") == (payload, index)


@settings(max_examples=40)
@given(
    st.lists(st.lists(st.lists(st.integers(0, 126), max_size=5), max_size=4), min_size=1, max_size=6),
    st.sampled_from(["u1", "i1", "<i2", "<i4", "<i8", "<u2"]),
    st.sampled_from([127, 70_000]),
    st.integers(1, 4),
)
def test_any_pair(fresh, documents, dtype, vocabulary, chunk):
    base = fresh()
    sequences = list(itertools.chain(*documents))
    tokens = list(itertools.chain(*sequences))
    borders = np.cumsum([0, *map(len, documents)])
    prefix = pair(base / "pair", dtype, tokens, list(map(len, sequences)), borders=borders)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(megatron, "CHUNK", chunk)
        if not tokens:
            with pytest.raises(UserError, match="holds no tokens"):
                import_pair(prefix, tokenizer(vocabulary), base / "in")
            return
        found = import_pair(prefix, tokenizer(vocabulary), base / "in")
        kept = [[one for one in document if one] for document in documents]
        assert documents_of(base / "in") == [document for document in kept if document]
        assert found.empty_documents == sum(not document for document in kept)
        assert found.empty_sequences == sum(not one for one in sequences)
        assert found.unread_bytes == 0
        assert found.ended == sum(bool(document) and document[-1][-1] == END for document in kept)
        again = export(base / "in", base / "again")
        assert again[0] == prefix.with_suffix(".bin").read_bytes()
        if all(sequences) and all(documents):
            assert again[1] == prefix.with_suffix(".idx").read_bytes()


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 299), min_size=1, max_size=9), min_size=1, max_size=9), st.integers(1, 9))
def test_ours_out_and_in(fresh, documents, longest):
    base = fresh()
    folder = packed(base / "tokens", documents, 300)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(megatron, "LONGEST", longest)
        patch.setattr(megatron, "CHUNK", 4)
        first = export(folder, base / "one")
    import_pair(base / "one", tokenizer(300), base / "in")
    pieces = [[one[at : at + longest] for at in range(0, len(one), longest)] for one in documents]
    assert documents_of(base / "in") == pieces  # a document over the longest sequence is several
    assert export(base / "in", base / "two") == first


def test_sequences_in_another_order_and_gaps(tmp_path):
    prefix = pair(tmp_path / "p", "<u2", [9, 1, 2, 8, 3, 4, 0], [2, 3], pointers=[1, 4])
    found = import_pair(prefix, tokenizer(), tmp_path / "in")
    assert (found.tokens, found.unread_bytes) == (5, 4)
    assert documents_of(tmp_path / "in") == [[[1, 2]], [[3, 4, 0]]]
    pair(tmp_path / "q", "<u2", [9, 1, 2, 8, 3, 4, 0], [3, 2], pointers=[4, 1])
    import_pair(tmp_path / "q", tokenizer(), tmp_path / "other")
    assert documents_of(tmp_path / "other") == [[[3, 4, 0]], [[1, 2]]]


def test_the_same_import_again_changes_nothing_another_is_refused(tmp_path):
    prefix = pair(tmp_path / "p", "<u2", [1, 2, 0], [3])
    import_pair(prefix, tokenizer(), tmp_path / "in")
    before = (tmp_path / "in" / "manifest.json").stat().st_mtime_ns
    import_pair(prefix, tokenizer(), tmp_path / "in")
    assert (tmp_path / "in" / "manifest.json").stat().st_mtime_ns == before
    pair(tmp_path / "p", "<u2", [1, 3, 0], [3])
    with pytest.raises(UserError, match="in"):
        import_pair(prefix, tokenizer(), tmp_path / "in")
    assert documents_of(tmp_path / "in") == [[[1, 2, 0]]]


@pytest.mark.parametrize("given", ["p", "p.bin", "p.idx"])
def test_names_of_a_pair(tmp_path, given):
    assert megatron.names(tmp_path / given) == (tmp_path / "p.bin", tmp_path / "p.idx")


# --- hostile ------------------------------------------------------------------------------------------------------

WHOLE = {"dtype": "<u2", "tokens": [1, 2, 3, 0], "lengths": [2, 2]}


def refused(prefix, folder, *words, vocabulary=50):
    with pytest.raises(UserError) as caught:
        import_pair(prefix, tokenizer(vocabulary), folder)
    assert caught.value.hint
    assert not folder.exists()
    assert not list(folder.parent.glob(".*"))
    for word in words:
        assert word in caught.value.problem
    return caught.value


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"lengths": [2, -2]}, ("sequence 1 has -2 tokens",)),
        ({"lengths": [2, 3]}, ("sequence 1", "3 tokens", "8 bytes")),
        ({"pointers": [0, -1]}, ("sequence 1 lies at byte -2",)),
        ({"pointers": [0, 1 << 61]}, ("sequence 1",)),
        ({"pointers": [0, 0.5]}, ("sequence 1 lies at byte 1",)),  # between two tokens
        ({"lengths": [4, 4], "pointers": [0, 0]}, ("overlap",)),
        ({"borders": []}, ("documents",)),
        ({"borders": [0, 1]}, ("documents", "2 sequences")),
        ({"borders": [1, 2]}, ("documents",)),
        ({"borders": [0, 2, 1, 2]}, ("documents",)),
        ({"borders": [0, -1, 2]}, ("documents",)),
        ({"borders": [0, 1 << 62, 2]}, ("documents",)),
        ({"modes": b"\0\1"}, ("multimodal",)),
        ({"modes": b"\0"}, ("torn",)),
        ({"code": 7}, ("float32",)),
        ({"code": 6}, ("float64",)),
        ({"code": 9}, ("type 9",)),
        ({"lengths": [0, 0]}, ("holds no tokens",)),
        ({"tokens": [1, 2, 50, 0]}, ("token 50", "sequence 1, token 0 of it", "50 tokens")),
        ({"dtype": "<i4", "tokens": [1, 2, 3, -1]}, ("token -1", "sequence 1, token 1 of it")),
        ({"dtype": "<i8", "tokens": [1 << 40, 2, 3, 0]}, ("token 1,099,511,627,776",)),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else None,
)
def test_a_hostile_pair(tmp_path, change, words):
    refused(pair(tmp_path / "p", **(WHOLE | change)), tmp_path / "in", *words)


def test_no_modes_but_of_text(tmp_path):
    import_pair(pair(tmp_path / "p", **WHOLE, modes=b"\0\0"), tokenizer(), tmp_path / "in")
    assert documents_of(tmp_path / "in") == [[[1, 2]], [[3, 0]]]


def test_pictures(tmp_path):
    payload = np.array([5, 6, 0, 5], "<u2").tobytes()
    refused(put(tmp_path / "p", payload, bytes.fromhex(PICTURES)), tmp_path / "in", "p.idx", "multimodal")


@pytest.mark.parametrize(
    ("head", "words"),
    [
        (b"", ("MMIDIDX",)),
        (b"MMIDIDX\0\0", ("MMIDIDX",)),
        (b"TNTIDX\0\0" + bytes(40), ("older format",)),
        (b"MMIDIDX\0\0" + struct.pack("<QBQQ", 2, 8, 0, 1) + bytes(8), ("version 2",)),
        (b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 8, 2**64 - 1, 2**64 - 1), ("torn",)),  # nothing so long is asked for
        (b"PK\x03\x04" + bytes(40), ("MMIDIDX",)),
    ],
    ids=["empty", "cut", "older", "version", "endless", "zip"],
)
def test_no_index(tmp_path, head, words):
    refused(put(tmp_path / "p", bytes(8), head), tmp_path / "in", "p.idx", *words)


def test_half_a_pair(tmp_path):
    prefix = pair(tmp_path / "p", **WHOLE)
    prefix.with_suffix(".bin").unlink()
    assert "PREFIX" in refused(prefix, tmp_path / "in", "p.bin", "No such file").hint
    prefix.with_suffix(".bin").mkdir()
    refused(prefix, tmp_path / "in", "no regular file")


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_index_is_refused_or_read_as_it_says(fresh, data):
    base = fresh()
    prefix = pair(base / "p", "<u2", [1, 2, 3, 4, 5, 0], [2, 1, 3], borders=[0, 2, 3])
    path = prefix.with_suffix(".idx")
    index = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(index) - 1))
        index[place] = data.draw(st.integers(0, 255))
    path.write_bytes(bytes(index[: data.draw(st.integers(len(index) - 2, len(index)))]))
    refusal = None
    try:
        import_pair(prefix, tokenizer(), base / "in")
    except UserError as problem:
        refusal = problem.problem
    if refusal:
        assert "p.idx" in refusal or "p.bin" in refusal
        return
    found = megatron.read_index(prefix)
    payload = prefix.with_suffix(".bin").read_bytes()
    whole = [
        np.frombuffer(payload, found.dtype, length, at).tolist()
        for at, length in zip(found.pointers.tolist(), found.lengths.tolist(), strict=True)
    ]
    kept = [[one for one in whole[first:end] if one] for first, end in itertools.pairwise(found.documents.tolist())]
    assert documents_of(base / "in") == [one for one in kept if one]


def test_a_payload_that_shrinks_meanwhile(tmp_path, monkeypatch):
    prefix = pair(tmp_path / "p", **WHOLE)
    index = megatron.read_index(prefix)
    prefix.with_suffix(".bin").write_bytes(b"\1\0")
    with pytest.raises(UserError, match=r"p\.bin is shorter"):
        list(megatron.read(prefix, index, BAR))


def test_a_manifest_that_lies_about_its_origin(tmp_path):
    folder = packed(tmp_path / "tokens", [[1, 300, 0]], 400, facts={"imported": {"dtype": "uint8"}})
    with pytest.raises(UserError, match="uint8"):
        export(folder, tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]
    assert megatron.imported_dtype(Packed.open(packed(tmp_path / "t", DOCUMENTS, facts={"imported": 7}))) is None


def test_a_damaged_shard_is_not_exported(tmp_path):
    folder = packed(tmp_path / "tokens", DOCUMENTS)
    shard = next(folder.glob("*/tokens-00000.bin"))
    data = bytearray(shard.read_bytes())
    data[4] ^= 1
    shard.write_bytes(data)
    with pytest.raises(UserError, match=r"tokens-00000\.bin is damaged"):
        export(folder, tmp_path / "p")
    assert [path.name for path in tmp_path.iterdir()] == ["tokens"]


# --- the disk -----------------------------------------------------------------------------------------------------


def test_every_fault_of_an_import(faults):
    def prepare(root):
        pair(root / "p", **WHOLE)

    cases = faults.enumerate_faults(
        lambda root: import_pair(root / "p", tokenizer(), root / "in"),
        prepare=prepare,
        kinds=("ENOSPC", "ENOSPC for good", "short", "stuck", "torn", "kill"),
        every=2,
    )
    assert cases["ENOSPC"] > 10


def test_a_full_disk_leaves_no_half_export(faults):
    root = faults.folder()
    folder = packed(root / "tokens", DOCUMENTS)
    seen = faults.operations(lambda base: export(folder, base / "pair"), faults.folder())
    for number, (operation, name) in enumerate(seen):
        base = faults.folder()
        with faults.injected(Fault("ENOSPC for good", number)), pytest.raises(UserError) as caught:
            export(folder, base / "pair")
        assert "No space left" in caught.value.problem
        left = sorted(path.name for path in base.iterdir())
        assert left in ([], ["pair.bin"], ["pair.bin", "pair.idx"]), (operation, name)
        assert "pair.idx" not in left or (operation, name) == ("fsync-dir", ".")
        if "pair.idx" in left:
            assert (base / "pair.bin").read_bytes().hex() == GOLDEN["uint16"][0]
