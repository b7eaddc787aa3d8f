"""The packed examples of a run: which rows they make, what is learnt in them, and that nothing of it changes."""

import json

import numpy as np
import pytest

from starloom.errors import UserError
from starloom.tokens.loader import Loader
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.tokenizer import Tokenizer
from starloom.training.finetune.chat import Chat
from starloom.training.finetune.tokens import Data, Examples, prepared
from starloom.workspace.manifest import verify
from training.finetune.models import tokenizer_folder
from training.packing import byte_tokenizer

PAIRS = [{"prompt": f"{number}+1=", "completion": str(number + 1)} for number in range(40)]


@pytest.fixture
def pack(tmp_path):
    """`pack(lines, …)`: (folder of the examples, what they are as rows)."""
    folder = tokenizer_folder(tmp_path / "base", byte_tokenizer())
    tokenizer = Tokenizer.open(folder)
    root = tmp_path / "workspace"
    root.mkdir()

    def pack(lines, sequence=32, everything=False, name="run"):
        path = tmp_path / "data.jsonl"
        path.write_text("".join(json.dumps(one) + "\n" for one in lines))
        data = Data((path,), PackSettings(), everything, sequence)
        packed = prepared(root, name, data, folder, tokenizer, Chat(tokenizer, None, "base"))
        return packed.folder, Examples(root, name, sequence, seed=1, padding=4)

    pack.tokenizer = tokenizer
    return pack


def texts(tokenizer, batch):
    """Of each document of the batch (what it is, what of it is learnt)."""
    found = []
    for ids, targets, documents in zip(batch.ids, batch.targets, batch.documents, strict=True):
        for number in range(documents.max() + 1):
            mine = documents == number
            learnt = targets[mine]
            found.append((tokenizer.decode(ids[mine]), tokenizer.decode(learnt[learnt >= 0])))
    return sorted(found)


def test_every_example_is_in_one_row_and_its_answer_is_learnt(pack):
    _, rows = pack(PAIRS)
    batch = rows.batch(np.arange(rows.number))
    end = "<|endoftext|>"
    assert texts(pack.tokenizer, batch) == sorted(
        (f"{one['prompt']}{one['completion']}{end}", f"{one['completion']}{end}") for one in PAIRS
    )
    assert rows.documents == 40
    assert (batch.targets[batch.documents < 0] == -1).all()


def test_everything_is_learnt_where_it_is_asked_for(pack):
    _, rows = pack(PAIRS, everything=True)
    found = texts(pack.tokenizer, rows.batch(np.arange(rows.number)))
    assert all(learnt == whole[1:] for whole, learnt in found)  # nothing comes before the first


def test_long_texts_are_cut_and_long_examples_left_out(pack, capsys):
    text = "abcdefghij" * 10
    folder, rows = pack([{"text": text}, {"prompt": "p" * 40, "completion": "c"}, PAIRS[0]])
    assert "1 example of more than 32 tokens left out, first data.jsonl, line 2" in capsys.readouterr().err
    batch = rows.batch(np.arange(rows.number))
    ids = [pack.tokenizer.decode(ids[documents >= 0]) for ids, documents in zip(batch.ids, batch.documents)]
    assert sorted("".join(ids)) == sorted(text + "<|endoftext|>" + "0+1=1<|endoftext|>")
    assert int((batch.targets >= 0).sum()) == 100 + 2  # the text's own 101 but the first, one answer with its end
    assert verify(folder) == []


def test_nothing_left(pack):
    with pytest.raises(UserError, match="no example is left: 1 example of more than 8 tokens"):
        pack([{"prompt": "p" * 40, "completion": "c"}], sequence=8)
    with pytest.raises(UserError, match="no example in these files"):
        pack([])


def test_the_loader_gives_the_same_to_any_number_of_processes(pack):
    _, rows = pack(PAIRS)
    with Loader(rows, 4, threads=0) as one:
        whole = [next(one) for _ in range(4)]
    shares = []
    for rank in range(2):
        with Loader(rows, 4, rank=rank, world=2) as loader:
            shares.append([next(loader) for _ in range(4)])
    for number, batch in enumerate(whole):
        for rank in range(2):
            np.testing.assert_array_equal(batch.ids[rank::2], shares[rank][number].ids)
            np.testing.assert_array_equal(batch.targets[rank::2], shares[rank][number].targets)


def test_they_are_made_once_and_again_where_they_are_gone(pack, tmp_path):
    folder, rows = pack(PAIRS)
    before = {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    times = {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
    pack(PAIRS)
    assert times == {path: path.stat().st_mtime_ns for path in times}
    (folder / "examples-0" / "counted.bin").unlink()
    _, again = pack(PAIRS)
    assert before == {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert again.fingerprint == rows.fingerprint
    _, other = pack(PAIRS[1:])
    assert other.fingerprint != rows.fingerprint


def test_a_flipped_byte_of_what_is_learnt(pack):
    folder, _ = pack(PAIRS)
    path = folder / "examples-0" / "counted.bin"
    data = bytearray(path.read_bytes())
    data[5] ^= 1
    path.write_bytes(data)
    with pytest.raises(UserError, match=r"counted\.bin is damaged"):
        pack(PAIRS)


def test_a_data_file_that_is_not_there(pack, tmp_path):
    data = Data((tmp_path / "none.jsonl",), PackSettings(), False, 32)
    with pytest.raises(UserError, match=r"none\.jsonl is no file"):
        prepared(tmp_path, "run", data, tmp_path, pack.tokenizer, None)
