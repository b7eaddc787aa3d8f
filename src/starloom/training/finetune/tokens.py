"""What a fine-tuning reads, packed in `models/RUN/examples/`: examples of files, or a workspace's dataset. Torch-free.

The folder is one of packed tokens as `starloom pack` makes them (tokens/shards.py), with the base's own tokenizer, so
that samples, order and `starloom trace` are those of pretraining; a document is an example, named by its file and line,
or a repository. Of examples, `counted.bin` has a byte for each token: 1 where it is to be learnt. The same inputs give
the same bytes, so the folder is made again where it is gone. Cost: 1 to 2 MB of text a second, 35 for a dataset.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.languages.syntax.middles import mark as middles_mark
from starloom.settings import as_json
from starloom.the_stack import tables
from starloom.tokens import shards
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.pack_plan import plan
from starloom.tokens.pack_run import Run, pack_run
from starloom.tokens.pack_settings import PackSettings
from starloom.tokens.pack_streams import Finished, write_streams
from starloom.tokens.packed import Packed
from starloom.tokens.samples import Batch, Int64s, Recipe, Samples, Stretches, open_sources
from starloom.tokens.tokenizer import Tokenizer
from starloom.training import runs
from starloom.training.finetune.chat import Chat
from starloom.training.finetune.lines import Example, examples
from starloom.workspace import atomic
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import fingerprint, hash_file, open_folder
from starloom.workspace.operations import explained

FOLDER: Final = "examples"
SOURCE: Final = "examples"  # name of the source in a run's record
COUNTED: Final = "counted.bin"
VERSION: Final = 1
_BATCH: Final = 4 << 20  # characters encoded at a time


@dataclass(frozen=True)
class Data:
    """What is read. files: of JSON Lines; none: the workspace's dataset, laid out as `pack` says. everything: prompts
    are learnt too. longest: tokens that an example may have which must not be cut; longer ones are left out."""

    files: tuple[Path, ...]
    pack: PackSettings
    everything: bool
    longest: int


def mixture(name: str) -> tuple[MixtureSource, ...]:
    """What the record of the run `name` says that it reads: so `starloom trace` finds it."""
    return (MixtureSource(SOURCE, tokens=f"{runs.FOLDER}/{name}/{FOLDER}"),)


def prepared(
    root: Path, name: str, data: Data, base: Path, tokenizer: Tokenizer, chat: Chat, *, begun: bool = False
) -> Packed:
    """The packed examples of the run `name`, made where they are not there. `base`: the folder of the tokenizer.
    begun: it has read them already: other ones do not take their place.

    Raises UserError: no dataset, a file that cannot be read, a line that is no example, none that fits; other ones.
    """
    folder = runs.run_folder(root, name) / FOLDER
    inputs, about = _inputs(root, data), _settings(data, chat) | {"tokenizer": tokenizer.sha256}
    identity = fingerprint(shards.KIND, VERSION, about, inputs)
    standing = _standing(folder)
    if begun and standing and standing != identity:
        raise UserError(
            f"run {name} was begun otherwise: on other data, or data that were laid out otherwise",
            f"fine-tune under another name, or begin anew: `starloom finetune {name} --restart`",
        )
    if standing != identity:
        trusted = tokenizer.trusted
        made: dict[str, Any] = {
            "kind": shards.KIND,
            "version": VERSION,
            "fingerprint": identity,
            "inputs": inputs,
            "settings": about,
        }
        with atomic.publish(folder, **made, replace=True) as draft:
            facts = {"vocabulary": tokenizer.vocabulary, "tokenizer": tokenizer.sha256}
            if data.files:
                draft.facts = facts | _from_files(draft, data, tokenizer, chat)
            else:
                draft.facts = facts | _from_dataset(draft, root, data, base, tokenizer)
        if trusted and not tokenizer.trusted:
            progress.say("all of it is packed anew, so that every text has the ids that tokenizers gives it")
            atomic.remove_folder(folder)
            return prepared(root, name, data, base, tokenizer, chat, begun=begun)
    return Packed.open(folder)


class Examples(Samples):
    """The rows of a fine-tuning: of samples, with targets only where something is to be learnt.

    documents: examples, or repositories, of one variant. talks: conversations are among them.
    """

    def __init__(self, root: Path, name: str, sequence: int, seed: int, padding: int) -> None:
        """Of the run `name`, whose examples are `prepared`. Raises UserError for damage."""
        super().__init__(open_sources(root, mixture(name)), Recipe(sequence, seed), padding)
        source = self.sources[0]
        facts = source.packed.facts
        self.talks = bool(facts.get("talks"))
        self.documents = int(facts["streams"][shards.stream_name(source.inner, 0)]["documents"])
        self._counted = _counted(source.packed)

    @property
    def number(self) -> int:
        """Of rows that one variant of all examples fills."""
        return self.rows(0, 0)

    def read(self, positions: Int64s, stretches: Stretches) -> Batch:
        batch = super().read(positions, stretches)
        if self._counted is None:
            return batch
        some = stretches.segments
        targets = batch.targets
        for row in range(len(targets)):
            at = 0
            for one in range(int(some.first[row]), int(some.first[row + 1])):
                start, length = int(some.starts[one]), int(some.lengths[one])
                learnt = self._counted[start + 1 : start + length + 1]  # of the stream's last token there is none after
                targets[row, at : at + len(learnt)][learnt == 0] = -1
                at += length
        return replace(batch, targets=targets)


def _counted(packed: Packed) -> NDArray[np.uint8] | None:
    """Of every token, whether it is learnt; None: all are. Raises UserError where the file is not what was written."""
    manifest = open_folder(packed.folder)
    assert manifest is not None
    name = f"{shards.stream_name(SOURCE, 0)}/{COUNTED}"
    entry = next((one for one in manifest.files if one.name == name), None)
    if entry is None:
        return None
    path = packed.folder / name
    if hash_file(path) != entry.sha256:
        raise UserError(f"{path} is damaged", f"remove {packed.folder}: it is made again")
    return np.asarray(np.memmap(path, dtype=np.uint8, mode="r"))


def _settings(data: Data, chat: Chat) -> dict[str, Any]:
    """How the data are laid out."""
    if not data.files:
        return {"pack": as_json(data.pack)}
    template = hashlib.sha256(chat.source.encode()).hexdigest()
    return {"everything": data.everything, "longest": data.longest, "template": template}


def _inputs(root: Path, data: Data) -> dict[str, str]:
    """What the examples are made of, by name -> hash. Raises UserError."""
    if data.files:
        found = {}
        for number, path in enumerate(data.files, 1):
            if not path.is_file():
                raise UserError(f"{path} is no file", "name files of JSON Lines, one example a line")
            with explained(path):
                found[f"{number} {path.name}"] = hash_file(path)
        return found
    tables.dataset(root, "files", "train")  # refuses a workspace without one
    manifest = open_folder(root / tables.DATASET)
    assert manifest is not None
    found = {tables.DATASET: manifest.content}
    return found | ({"syntax": middles_mark()} if data.pack.syntax_rate else {})


def _standing(folder: Path) -> str:
    """The fingerprint of what is there and whole."""
    try:
        manifest = open_folder(folder)
    except UserError:
        return ""
    return manifest.fingerprint if manifest and manifest.kind == shards.KIND else ""


def _from_dataset(draft: Draft, root: Path, data: Data, base: Path, tokenizer: Tokenizer) -> dict[str, Any]:
    """The train split, repository by repository, in every variant, as `pack` would with this tokenizer."""
    planned = plan(tables.dataset(root, "files", "train"), ())
    if not planned.runs:
        raise UserError(
            f"{root / tables.DATASET} has no files to train on", "name examples with --data, or add sources"
        )
    folder = draft.worker_folder()
    parts = [
        Run(
            part,
            data.pack,
            base,
            tokenizer.sha256,
            not tokenizer.trusted,
            folder / f"{number:06d}",
            fingerprint(number),
        )
        for number, part in enumerate(planned.runs)
    ]
    finished = []
    with progress.task("pack", sum(one.planned.text_bytes for one in parts), "bytes") as bar:
        for part in parts:
            pack_run(part)
            manifest = open_folder(part.folder)
            assert manifest is not None
            finished.append(Finished(part.folder, manifest))
            bar.advance(part.planned.text_bytes)
    if not all(one.trusted for one in finished):
        tokenizer.distrust()
    dtype = shards.dtype_of(tokenizer.vocabulary)
    streams = write_streams(draft, finished, planned.sources, data.pack.variants, dtype)
    return {"sources": list(planned.sources), "variants": data.pack.variants, "streams": streams}


def _from_files(draft: Draft, data: Data, tokenizer: Tokenizer, chat: Chat) -> dict[str, Any]:
    """The examples of all files, in their order."""
    name = shards.stream_name(SOURCE, 0)
    written = _Written(data.longest)
    every = chain.from_iterable(
        ((path.name, one) for one in examples(path, tokenizer, chat, data.everything)) for path in data.files
    )
    with draft.create(f"{name}/{COUNTED}") as counted:
        chunks = written.encoded(every, tokenizer, counted)
        tokens = shards.write_tokens(draft, f"{name}/", chunks, shards.dtype_of(tokenizer.vocabulary))
    if not tokens:
        raise UserError(
            f"no example is left: {written.said()}" if written.left else "there is no example in these files",
            "raise `sequence` in [finetune], or shorten them" if written.left else "write one a line",
        )
    draft.parquet(f"{name}/documents.parquet", shards.DOCUMENTS, [written.documents()])
    draft.parquet(f"{name}/pieces.parquet", shards.PIECES, [written.pieces()])
    if written.left:
        progress.say(f"note: {written.said()}")
    streams = {name: {"tokens": tokens, "documents": written.number, "learnt": written.learnt, "left": written.left}}
    return {"sources": [SOURCE], "variants": 1, "streams": streams, "talks": written.talks}


class _Written:
    """What was written of the examples so far, and what was left out. learnt: tokens. talks:
    whether any is a conversation."""

    def __init__(self, longest: int) -> None:
        self.learnt = self.left = 0
        self.talks = False
        self._longest = longest
        self._first_left = ""
        self._lengths: list[int] = []
        self._names: list[tuple[str, str, str]] = []  # file, line, content_id

    @property
    def number(self) -> int:
        return len(self._lengths)

    def encoded(
        self, every: Iterator[tuple[str, Example]], tokenizer: Tokenizer, counted: Any
    ) -> Iterator[NDArray[np.int64]]:
        """The ids of one example after the other; into the file `counted` goes what of them is learnt."""
        waiting: list[tuple[str, Example]] = []
        size = 0
        for one in every:
            waiting.append(one)
            size += len(one[1].source)
            if size >= _BATCH:
                yield from self._encoded(waiting, tokenizer, counted)
                waiting, size = [], 0
        yield from self._encoded(waiting, tokenizer, counted)

    def _encoded(
        self, some: Sequence[tuple[str, Example]], tokenizer: Tokenizer, counted: Any
    ) -> Iterator[NDArray[np.int64]]:
        texts = [piece for _, one in some for piece, _ in one.laid if isinstance(piece, str)]
        known = iter(tokenizer.encode_batch(texts))
        for file, one in some:
            parts = [(next(known) if isinstance(piece, str) else [piece], learnt) for piece, learnt in one.laid]
            ids = np.array([number for numbers, _ in parts for number in numbers], dtype=np.int64)
            if one.whole and len(ids) > self._longest:
                self.left += 1
                self._first_left = self._first_left or f"{file}, line {one.line:,}"
                continue
            learnt = np.repeat([flag for _, flag in parts], [len(numbers) for numbers, _ in parts]).astype(np.uint8)
            counted.write(learnt.tobytes())
            self.learnt += int(learnt[1:].sum())  # nothing comes before the first
            self.talks |= one.talks
            self._lengths.append(len(ids))
            self._names.append((file, f"line {one.line}", content_id(one.source)))
            yield ids

    def said(self) -> str:
        """In words, what was left out."""
        some = progress.counted(self.left, "examples")
        return f"{some} of more than {self._longest:,} tokens left out, first {self._first_left}"

    def documents(self) -> pa.Table:
        lengths = np.array(self._lengths, dtype=np.int64)
        numbers = np.arange(len(lengths), dtype=np.int64)
        names = [file for file, _, _ in self._names]
        return pa.table([numbers, names, np.cumsum(lengths) - lengths, lengths], schema=shards.DOCUMENTS)

    def pieces(self) -> pa.Table:
        lengths = np.array(self._lengths, dtype=np.int64)
        nothing = [None] * len(lengths)
        columns = [[one[place] for one in self._names] for place in (2, 1)]
        return pa.table(
            [np.arange(len(lengths)), *columns, nothing, nothing, np.cumsum(lengths) - lengths, lengths],
            schema=shards.PIECES,
        )
