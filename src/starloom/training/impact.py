"""What still holds something opted out: dataset, search, membership, token shards, models. Torch-free.

Asked of what lies there now, made before or after the wish; nothing is run. A model holds what its steps read, up to
where it stands, as long as its tokens are here; else, what it held when the wish was written down. Of a run whose
tokens are gone and that no entry names, nobody can tell: it is named as such. Cost: names and ids of each output.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.membership.layout import FOLDER as MEMBERSHIP
from starloom.membership.layout import GONE, ORIGINS
from starloom.membership.places import read_places
from starloom.search import layout
from starloom.search.layout import FOLDER as SEARCH
from starloom.the_stack import opt_out_log, opt_outs, tables
from starloom.the_stack.opt_out_held import OPTED, distinct_names, opted_tables
from starloom.the_stack.opt_out_log import Entry, Wish
from starloom.the_stack.opt_outs import OptOuts
from starloom.tokens.packed import Packed, Shards
from starloom.tokens.samples import Samples
from starloom.tokens.shards import FOLDER as TOKENS
from starloom.training import runs
from starloom.training.finetune.tokens import FOLDER as EXAMPLES
from starloom.training.locate import streams, stretches
from starloom.training.reading import samples_of
from starloom.training.runs import Run
from starloom.training.seen import Int64s, Sightings, seen
from starloom.workspace.manifest import read_manifest

Kind = Literal["dataset", "search", "membership", "tokens", "model"]
AGAIN = {
    "dataset": "starloom build",
    "search": "starloom index",
    "membership": "starloom index",
    "tokens": "starloom pack",
}
_PLACES = {SEARCH: "files.arrow", MEMBERSHIP: ORIGINS}  # in any folder of it, with _NAMES
_NAMES = pa.schema([(name, pa.string()) for name in ("repo_name", "path", "content_id")])

_FILES = f"SELECT entry, count(DISTINCT (repo_name, path)) AS files FROM {OPTED} GROUP BY entry ORDER BY entry"
_PLACED = "FROM (SELECT p.*, d.repo_name FROM pieces p JOIN held d ON p.document = d.document) h"
_PIECES = f"""SELECT entry, document, content_id, first_token, tokens
FROM {OPTED.replace("FROM held h", _PLACED)} ORDER BY entry, first_token"""


@dataclass(frozen=True)
class Holding:
    """An output that holds something of an entry. Files are places; of tokens and models contents.

    documents, tokens: that it lies in, and has, in the tokens, of one variant. steps: of the model's, that read it.
    """

    where: Kind
    name: str  # of the folder in the workspace, or of the run
    entry: str
    files: int | None = None
    documents: int | None = None
    tokens: int | None = None
    steps: int | None = None
    first_step: int | None = None
    last_step: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Impact:
    """What holds something, and the runs of which nobody can tell. `left`: indexes that files have left (by an opt-out
    or else) whose words or hashes may be in their tables until they are made anew, and how many files."""

    holdings: tuple[Holding, ...]
    unknown: tuple[str, ...]
    left: Mapping[str, int] = field(default_factory=dict)

    @property
    def outputs(self) -> tuple[str, ...]:
        """The folders that hold something and can be made again."""
        return tuple(dict.fromkeys(one.name for one in self.holdings if one.where != "model"))


def impact(root: Path, engine: Engine, wishes: OptOuts, entries: Sequence[Entry] = ()) -> Impact:
    """Of `wishes`; `entries`: those of the log that they come from, which may name models. Raises UserError where an
    output is damaged."""
    found: list[Holding] = []
    dataset = _dataset(root)
    if dataset:
        found += _files(root, engine, wishes, "dataset", tables.DATASET, dataset)
    for folder, file in _PLACES.items():
        if manifest := read_manifest(root / folder):
            kind: Kind = "search" if folder == SEARCH else "membership"
            held = [root / folder / one.name for one in manifest.files if one.name.rpartition("/")[2] == file]
            if not held:
                raise UserError(f"{root / folder} was made by another Starloom", f"make it again: `{AGAIN[kind]}`")
            found += _files(root, engine, wishes, kind, folder, held)
    pieces = _Pieces(root, engine, wishes)
    found += _tokens(root, pieces)
    models, unknown = _models(root, pieces, entries)
    return Impact(tuple(found + models), tuple(unknown), _left(root) if wishes.names or wishes.contents else {})


def models_holding(root: Path, engine: Engine, wishes: Sequence[Wish]) -> list[tuple[str, ...]]:
    """Of each wish that is not written down yet, the runs that have read it, or may do so before they end."""
    known = [(run, samples) for run in runs.every(root) if (samples := _samples(root, run))]
    held = []
    for wish in wishes if known else ():
        entry = Entry(1, "", wish.action, wish.subject, wish.scope, wish.kind, wish.contents)
        pieces = _Pieces(root, engine, opt_outs.of_entries([entry]))
        holding = [run.name for run, samples in known if any(_reads(run, one) for one in pieces.read_by(run, samples))]
        held.append(tuple(holding))
    return held or [() for _ in wishes]


def entries_of(root: Path, number: int | None) -> tuple[Entry, ...]:
    """The entries of the log that hold, or the one of that number. Raises UserError."""
    log = opt_out_log.read(root)
    return log.active if number is None else (log.entry(number),)


def _dataset(root: Path) -> list[Path]:
    if read_manifest(root / tables.DATASET) is None:
        return []
    return [path for split in ("train", "held_out") for path in tables.dataset(root, "files", split)]


def _files(root: Path, engine: Engine, wishes: OptOuts, where: Kind, name: str, held: Sequence[Path]) -> list[Holding]:
    missing = [path for path in held if not path.is_file()]
    if missing:
        raise UserError(f"{missing[0]} is missing", f"make it again: `{AGAIN[where]}`")
    rows_held: Table = held
    if where == "membership":
        rows_held = pa.concat_tables([read_places(path).cast(_NAMES) for path in held])
    if where == "search":
        rows_held = pa.concat_tables([layout.live_rows(path, _NAMES.names).cast(_NAMES) for path in held])
    given: dict[str, Any] = opted_tables(root, wishes, distinct_names(engine, rows_held)) | {"held": rows_held}
    rows = engine.table(_FILES, given).to_pylist()
    return [Holding(where, name, row["entry"], row["files"]) for row in rows]


def _left(root: Path) -> dict[str, int]:
    found = {}
    for folder, file in ((SEARCH, _PLACES[SEARCH]), (MEMBERSHIP, "-state.bin")):
        manifest = read_manifest(root / folder)
        paths = [root / folder / one.name for one in (manifest.files if manifest else ()) if one.name.endswith(file)]
        if folder == SEARCH:
            count = sum(layout.rows_left(path) for path in paths)
        else:
            count = sum(path.read_bytes().count(GONE) for path in paths if path.is_file())
        if count:
            found[folder] = count
    return found


@dataclass
class _Lying:
    """What of an entry lies in some streams; `seen`: where those of a run are."""

    entry: str
    contents: set[str] = field(default_factory=set)
    documents: set[tuple[int, int]] = field(default_factory=set)  # (number of the source, document)
    tokens: int = 0
    stretches: dict[tuple[int, int], tuple[Int64s, Int64s]] = field(default_factory=dict)
    seen: Sightings | None = None

    def add(self, source: int, variant: int, rows: pa.Table) -> None:
        """PIECES of a stream. Of variants, which hold the same files, the first is counted."""
        self.stretches[source, variant] = stretches(rows)
        if variant == 0:
            self.contents.update(rows.column("content_id").to_pylist())
            self.documents.update((source, number) for number in rows.column("document").to_pylist())
            self.tokens += pc.sum(rows.column("tokens")).as_py()

    def holding(self, where: Kind, name: str, **more: Any) -> Holding:
        return Holding(where, name, self.entry, len(self.contents), len(self.documents), self.tokens, **more)


class _Pieces:
    """The files in tokens that wishes are about; each stream is asked once."""

    def __init__(self, root: Path, engine: Engine, wishes: OptOuts) -> None:
        self._root, self._engine, self._wishes = root, engine, wishes
        self._found: dict[Path, pa.Table] = {}

    def read_by(self, run: Run, samples: Samples) -> list[_Lying]:
        """By entry, what lies in a run's tokens and when it was read."""
        found: dict[str, _Lying] = {}
        for source, variant, shards in streams(samples):
            self.add(found, source, variant, shards)
        for one in found.values():
            one.seen = seen(run, samples, one.stretches)
        return list(found.values())

    def add(self, found: dict[str, _Lying], source: int, variant: int, shards: Shards) -> None:
        rows = self._rows(shards)
        for entry in pc.unique(rows.column("entry")).to_pylist():
            some = rows.filter(pc.equal(rows.column("entry"), entry))
            found.setdefault(entry, _Lying(entry)).add(source, variant, some)

    def _rows(self, shards: Shards) -> pa.Table:
        folder = shards.folder
        if folder not in self._found:
            documents: Table = [folder / "documents.parquet"]
            given: dict[str, Any] = opted_tables(self._root, self._wishes, distinct_names(self._engine, documents))
            given |= {"held": documents, "pieces": [folder / "pieces.parquet"]}
            self._found[folder] = self._engine.table(_PIECES, given)
        return self._found[folder]


def _tokens(root: Path, pieces: _Pieces) -> list[Holding]:
    """In the packed tokens of the workspace, and in those that fine-tunings were made of."""
    held: list[Holding] = []
    for folder in (TOKENS, *(f"{runs.FOLDER}/{run.name}/{EXAMPLES}" for run in runs.every(root))):
        if read_manifest(root / folder) is None:
            continue
        found: dict[str, _Lying] = {}
        for source, shards in enumerate(Packed.open(root / folder).streams()):
            pieces.add(found, source, 0, shards)
        held += [one.holding("tokens", folder) for one in found.values()]
    return held


def _samples(root: Path, run: Run) -> Samples | None:
    """What a run reads, where that is still here."""
    try:
        return samples_of(root, run)
    except UserError:
        return None


def _reads(run: Run, one: _Lying) -> bool:
    """Whether a run has read something, or may still do so."""
    return not run.finished or (one.seen is not None and len(one.seen) > 0)


def _models(root: Path, pieces: _Pieces, entries: Sequence[Entry]) -> tuple[list[Holding], list[str]]:
    found, unknown = [], []
    for run in runs.every(root):
        length = f"{run.record.steps:,} steps" if run.record.steps else "steps by the clock"
        length += "" if run.finished else ", not finished"
        if samples := _samples(root, run):
            for one in pieces.read_by(run, samples):
                if _reads(run, one) and one.seen is not None:
                    found.append(_model(run, one, one.seen, length))
            continue
        said = [one for one in entries if run.name in one.models]
        for entry in said:
            held = f"{entry.subject} (entry {entry.number})"
            found.append(Holding("model", run.name, held, note=f"held it when the entry was written, {length}"))
        if not said:
            unknown.append(run.name)
    return found, unknown


def _model(run: Run, one: _Lying, sightings: Sightings, length: str) -> Holding:
    steps = sightings.distinct_steps.tolist()
    first, last = (steps[0], steps[-1]) if steps else (None, None)
    note = f"read {sightings.words()} of {length}"
    return one.holding("model", run.name, steps=len(steps), first_step=first, last_step=last, note=note)
