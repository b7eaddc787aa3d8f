"""A small model learns fifty files by heart, by way of every stage from folders of files to completions: what is cut
out of each it fills in exactly, and knows where to stop."""

import pytest

from starloom.completion.local import LocalCompleter
from starloom.completion.request import Request
from starloom.tokens import hub_format
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import pretraining
from starloom.training.settings import TrainSettings
from the_stack import building
from tokens.packs import Pack
from training import packing

FILES = 50
SETTINGS = TrainSettings(
    layers=2,
    hidden=64,
    heads=4,
    kv_heads=1,
    feed_forward=256,
    window=256,
    context=512,
    sequence=256,
    batch=8,
    steps=250,
    muon_rate=0.02,
    adamw_rate=0.01,
    weight_decay=0.0,
    warm_up=20,
    decay=0.4,
    ema=0.0,
    precision="float32",
    device="cpu",
    threads=1,
    checkpoint_seconds=600.0,
)


def documents(packed, end):
    """The token ids of each document, its end of text included."""
    stream = packed.stream()
    found, document = [], []
    for token in stream.read(0, stream.tokens).tolist():
        document.append(token)
        if token == end:
            found.append(document)
            document = []
    return found


@pytest.mark.slow
def test_fifty_files_are_learnt_by_heart_and_filled_in_exactly(tmp_path):
    sources = [tmp_path / "src" / f"r{number}" for number in range(FILES)]
    for number, source in enumerate(sources):
        building.folder(source, {f"f{number}.py": building.code(f"overfit {number}", 2)})
    built = building.Workspace(
        tmp_path / "built", *sources, extra=building.ENGINE + "\n[decide]\nheld_out = 0.0\n"
    ).build()
    packed = Pack(built, tmp_path / "packed", Tokenizer({hub_format.FILE: packing.byte_tokenizer()}, "bytes"))
    packed.pack(repository_rate=1.0, file_rate=1.0)
    done = pretraining.train(packed.root, SETTINGS, "overfit", command="test")

    tokenizer = packed.tokenizer
    model = LocalCompleter.open(done.run.model)
    learnt = documents(packed, tokenizer.end_of_text)
    assert len(learnt) == FILES
    wrong = []
    for document in learnt:
        middle = document.index(tokenizer.markers.middle) + 1  # every file was cut: this is after prefix and suffix
        wanted = tokenizer.decode(document[middle:-1])
        said = model.complete(Request(tuple(document[:middle]), max_tokens=len(document), temperature=0.0))
        if (said.text, said.finish_reason) != (wanted, "stop"):
            wrong.append((wanted, said.text))
    assert not wrong
