"""What still holds something opted out: dataset, search, membership, token shards, models. Torch-free.

Asked of what lies there now, made before or after the wish; nothing is run. A model holds what its tokens hold: a run
whose record names the token shards at hand, or one that held it when the wish was written down. Of a run whose tokens
are gone and that no entry names, nobody can tell: it is named as such. Whether a step really read a document is for
`starloom trace` to say. Cost: names and ids of each output.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pyarrow as pa

from starloom.engine.verbs import Engine, Table
from starloom.errors import UserError
from starloom.membership.layout import FOLDER as MEMBERSHIP
from starloom.membership.layout import ORIGINS
from starloom.membership.places import read_places
from starloom.search import layout
from starloom.search.layout import FOLDER as SEARCH
from starloom.the_stack import opt_out_log, opt_outs, tables
from starloom.the_stack.opt_out_held import OPTED, distinct_names, opted_tables
from starloom.the_stack.opt_out_log import Entry, Wish
from starloom.the_stack.opt_outs import OptOuts
from starloom.tokens.pack import FOLDER as TOKENS
from starloom.training import runs
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
_TOKENS = """
SELECT coalesce(oc.entry, og.entry) AS entry, count(DISTINCT p.content_id) AS files,
  count(DISTINCT p.document) AS documents, CAST(sum(p.tokens) AS BIGINT) AS tokens
FROM pieces p JOIN held h ON p.document = h.document
LEFT JOIN opted_contents oc ON p.content_id = oc.content_id
LEFT JOIN opted_repositories og ON h.repo_name = og.repo_name
WHERE coalesce(oc.entry, og.entry) IS NOT NULL GROUP BY ALL ORDER BY entry
"""


@dataclass(frozen=True)
class Holding:
    """An output that holds something of an entry. Files are places; of tokens and models contents."""

    where: Kind
    name: str  # of the folder in the workspace, or of the run
    entry: str
    files: int | None = None
    documents: int | None = None
    tokens: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Impact:
    """What holds something, and the runs of which nobody can tell."""

    holdings: tuple[Holding, ...]
    unknown: tuple[str, ...]

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
    tokens = _tokens(root, engine, wishes)
    found += tokens
    models, unknown = _models(root, tokens, entries)
    return Impact(tuple(found + models), tuple(unknown))


def models_holding(root: Path, engine: Engine, wishes: Sequence[Wish]) -> list[tuple[str, ...]]:
    """Of each wish that is not written down yet, the runs whose tokens hold it."""
    made_of = [run.name for run in runs.every(root) if run.record.tokens == _tokens_mark(root)]
    if not made_of:
        return [() for _ in wishes]
    held = []
    for wish in wishes:
        entry = Entry(1, "", wish.action, wish.subject, wish.scope, wish.kind, wish.contents)
        held.append(tuple(made_of) if _tokens(root, engine, opt_outs.of_entries([entry])) else ())
    return held


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


def _tokens(root: Path, engine: Engine, wishes: OptOuts) -> list[Holding]:
    if read_manifest(root / TOKENS) is None:
        return []
    documents: Table = [root / TOKENS / "documents.parquet"]
    given: dict[str, Any] = opted_tables(root, wishes, distinct_names(engine, documents))
    given |= {"held": documents, "pieces": [root / TOKENS / "pieces.parquet"]}
    return [Holding("tokens", TOKENS, **row) for row in engine.table(_TOKENS, given).to_pylist()]


def _tokens_mark(root: Path) -> str | None:
    manifest = read_manifest(root / TOKENS)
    return manifest.content if manifest else None


def _models(root: Path, tokens: Sequence[Holding], entries: Sequence[Entry]) -> tuple[list[Holding], list[str]]:
    found, unknown = [], []
    mark = _tokens_mark(root)
    for run in runs.every(root):
        steps = f"{run.record.steps:,} steps" + ("" if run.finished else ", not finished")
        if run.record.tokens == mark:
            found += [
                Holding(
                    "model", run.name, one.entry, one.files, one.documents, one.tokens, f"made of these tokens, {steps}"
                )
                for one in tokens
            ]
            continue
        said = [one for one in entries if run.name in one.models]
        for one in said:
            entry = f"{one.subject} (entry {one.number})"
            found.append(Holding("model", run.name, entry, note=f"held it when the entry was written, {steps}"))
        if not said:
            unknown.append(run.name)
    return found, unknown
