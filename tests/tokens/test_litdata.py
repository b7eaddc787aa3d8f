"""litdata's chunks: laid out as its own writer lays them out (its index of a pair of chunks stands here)."""

import json
import struct

import numpy as np
import pytest

from starloom.errors import UserError
from starloom.progress import Task
from starloom.tokens import litdata, shards
from starloom.tokens.packed import Packed
from starloom.workspace.manifest import verify
from tokens.packing import packed

DOCUMENTS = [[5, 6, 0], [7, 0], [1, 2, 3, 0]]
STREAM = [token for document in DOCUMENTS for token in document]
# From `optimize(…, item_loader=TokensLoader())` of litdata 0.2.76, of uint16; what can be left out is left out.
CONFIG = {
    "chunk_size": None,
    "compression": None,
    "data_format": ["no_header_tensor:20"],
    "data_spec": '[1, {"type": null, "context": null, "children_spec": []}]',
    "encryption": None,
    "item_loader": "TokensLoader",
}


def export(folder, to):
    found = Packed.open(folder)
    return litdata.export(found, found.stream(shards.ONLY, 0), to, Task("test", None, "bytes"))


@pytest.mark.parametrize(("vocabulary", "dtype", "code"), [(50, "<u2", 20), (1 << 17, "<i4", 15)])
def test_chunks(tmp_path, monkeypatch, vocabulary, dtype, code):
    width = np.dtype(dtype).itemsize
    monkeypatch.setattr(litdata, "CHUNK_BYTES", 4 * width)
    assert export(packed(tmp_path / "tokens", DOCUMENTS, vocabulary), tmp_path / "out") == 3
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    assert index["config"] == CONFIG | {"chunk_bytes": 4 * width, "data_format": [f"no_header_tensor:{code}"]}
    assert float(index["updated_at"]) > 0
    tokens = []
    for number, chunk in enumerate(index["chunks"]):
        data = (tmp_path / "out" / f"chunk-0-{number}.bin").read_bytes()
        dim = min(4, len(STREAM) - 4 * number)
        assert chunk == {"chunk_bytes": len(data), "chunk_size": 1, "dim": dim, "filename": f"chunk-0-{number}.bin"}
        assert struct.unpack("<3I", data[:12]) == (1, 12, len(data))
        tokens += np.frombuffer(data, dtype, offset=(1 + chunk["chunk_size"] + 1) * 4).tolist()
    assert tokens == STREAM
    assert verify(tmp_path / "out") == []


def test_again_is_the_same_and_other_tokens_are_refused(tmp_path):
    export(packed(tmp_path / "tokens", DOCUMENTS), tmp_path / "out")
    before = (tmp_path / "out" / "index.json").stat().st_mtime_ns
    export(tmp_path / "tokens", tmp_path / "out")
    assert (tmp_path / "out" / "index.json").stat().st_mtime_ns == before
    with pytest.raises(UserError, match="out"):
        export(packed(tmp_path / "other", DOCUMENTS[:2]), tmp_path / "out")


def test_a_full_disk(faults):
    folder = packed(faults.folder() / "tokens", DOCUMENTS)
    cases = faults.enumerate_faults(
        lambda root: export(folder, root / "out"), kinds=("ENOSPC", "ENOSPC for good", "kill")
    )
    assert cases["ENOSPC"] > 5
