"""Purge: what is opted out leaves the disk, not only the dataset.

Goes: opted-out contents, and those of opted-out repositories that stand in no other one, from the cache of contents and
from every signal; clones and packages that were fetched for opted-out repositories alone; outputs that still hold
something opted out (dataset, search, membership, tokens: `build`, `index`, `pack` make them again); documents made of
contents, some of which may be among them; the report, which shows excerpts; parts and drafts of runs that were killed.
Stays, and is named: sources on this machine, of opted-out repositories too, clones and data sets that others come from
too, trained models, and how much of what left an index is in its tables still. Stopped, it goes on when it is run
again. `pair` forgets the near-twins of what was purged the next time it runs.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.progress import counted
from starloom.sources import fetched
from starloom.sources.repository import Place
from starloom.the_stack import left_out, opt_out_held, opt_outs, tables
from starloom.the_stack.opt_outs import OptOuts
from starloom.workspace import atomic, clean, erase
from starloom.workspace.lock import FOLDER, UNFINISHED, lock
from starloom.workspace.manifest import read_manifest
from starloom.workspace.operations import explained, remove
from starloom.workspace.run import clear_spill, total_bytes
from starloom.workspace.stage import Stage, standing

# Contents of the cache that go, with the entry that says so. `own`, `others`: where they are listed.
_GOING = """
WITH places AS (
  SELECT f.content_id, o.entry IS NOT NULL OR op.entry IS NOT NULL AS own, coalesce(op.entry, o.entry) AS entry
  FROM files f LEFT JOIN opted_repositories o ON f.repo_name = o.repo_name
  LEFT JOIN opted_files op ON lower(f.repo_name) = op.repo_key AND f.path = op.path
  WHERE f.content_id IS NOT NULL),
listed AS (SELECT content_id, bool_and(own) AS alone, any_value(entry) AS entry FROM places GROUP BY content_id)
SELECT c.content_id, c.length_bytes, coalesce(oc.entry, l.entry, o.entry) AS entry, oc.entry IS NOT NULL AS by_content
FROM contents c LEFT JOIN opted_contents oc ON c.content_id = oc.content_id
LEFT JOIN listed l ON c.content_id = l.content_id
LEFT JOIN opted_repositories o ON c.home = o.repo_name
WHERE oc.entry IS NOT NULL OR coalesce(l.alone, o.entry IS NOT NULL)
ORDER BY c.content_id
"""

# Repositories that are not opted out and hold opted-out contents: those lie in the source itself.
_REMAINING = """
SELECT DISTINCT r.repo_name, r.location FROM files f JOIN repositories r ON f.repo_name = r.repo_name
JOIN opted_contents oc ON f.content_id = oc.content_id
LEFT JOIN opted_repositories o ON f.repo_name = o.repo_name WHERE o.entry IS NULL ORDER BY ALL
"""


@dataclass(frozen=True)
class Going:
    """Something that a purge removes; bytes on the disk, of contents those of the texts."""

    what: str  # contents, fetched, output, left behind
    name: str
    bytes: int


@dataclass(frozen=True)
class Plan:
    """What goes, and what stays (where, and why)."""

    contents: pa.Table  # content_id, length_bytes, entry, by_content
    fetched: tuple[Path, ...]
    outputs: tuple[Path, ...]
    removals: tuple[clean.Removal, ...]
    stays: tuple[tuple[str, str], ...]

    def going(self, root: Path) -> list[Going]:
        """In words for each."""
        found = [Going("fetched", str(one.relative_to(root)), fetched.size(one)) for one in self.fetched]
        found += [Going("output", str(one.relative_to(root)), total_bytes(one)) for one in self.outputs]
        found += [Going("left behind", str(one.path.relative_to(root)), one.bytes) for one in self.removals]
        if len(self.contents):
            size = sum(self.contents.column("length_bytes").to_pylist())
            found.insert(0, Going("contents", counted(len(self.contents), "contents"), size))
        return found


@dataclass(frozen=True)
class Outputs:
    """Folders of the workspace: those that hold something opted out; those that show contents of the ledger that they
    were made from, and go where that is an older one, or the dataset goes."""

    holding: tuple[Path, ...] = ()
    along: tuple[Path, ...] = ()
    rendered: tuple[Path, ...] = ()  # made of the cache of contents: they go where anything goes from it


def plan(root: Path, engine: Engine, settings: Any, stages: Sequence[Stage], outputs: Outputs) -> Plan:
    """What a purge would remove. Raises UserError."""
    wishes = opt_outs.of(root, settings.list.opt_outs)
    removals = tuple(clean.removals(root, stages, ()))
    if read_manifest(root / tables.LISTING) is None:
        return Plan(_no_contents(), (), outputs.holding, removals, ())
    contents = tables.contents(root) or tables.CONTENTS.empty_table()
    given: dict[str, Any] = {
        "files": tables.listed_files(root),
        "repositories": tables.repositories(root),
        "contents": contents,
    }
    names = engine.table("SELECT repo_name FROM files UNION SELECT home FROM contents", given).column(0).to_pylist()
    given |= opt_out_held.opted_tables(root, wishes, names)
    stays = {(row["repo_name"], row["location"]) for row in engine.table(_REMAINING, given).to_pylist()}
    paths, still = _of_repositories(root, engine, wishes)
    going = engine.table(_GOING, given)
    along = outputs.along + (outputs.rendered if len(going) else ())
    old = tuple(folder for folder in along if outputs.holding or folder in outputs.rendered or _is_old(root, folder))
    along = tuple(folder for folder in old if read_manifest(folder) is not None)
    return Plan(going, paths, outputs.holding + along, removals, tuple(sorted(stays | still)))


def _is_old(root: Path, folder: Path) -> bool:
    """Whether an output was made from another ledger than the one at hand."""
    made, ledger = read_manifest(folder), read_manifest(root / tables.LEDGER)
    return made is not None and (ledger is None or made.inputs.get(tables.LEDGER) != standing(ledger))


def purge(
    root: Path, engine: Engine, settings: Any, stages: Sequence[Stage], outputs: Outputs, command: str
) -> tuple[list[Going], Plan, int]:
    """Removes it: (what went, what the plan was, bytes that the caches hold less). Raises UserError."""
    with lock(root, command):
        atomic.recover(root)
        before = erase.finish(root)
        clear_spill(root, settings.engine)
        with explained(root / UNFINISHED), suppress(FileNotFoundError):
            remove(root / UNFINISHED)
        found = plan(root, engine, settings, stages, outputs)
        going = found.going(root)
        for removal in found.removals:
            atomic.remove_folder(removal.path)
        for folder in found.outputs:
            atomic.remove_folder(folder)
        for path in found.fetched:
            with explained(path):
                fetched.remove(path)
        by_content = [row["content_id"] for row in found.contents.to_pylist() if row["by_content"]]
        if by_content:
            left_out.with_erased(root, by_content)  # before: a run that is stopped has them read again in vain
        done = erase.erase(root, (tables.FILES, tables.SIGNALS), found.contents.column("content_id").to_pylist())
    return going, found, before.bytes + done.bytes


def _no_contents() -> pa.Table:
    names = (("content_id", pa.string()), ("length_bytes", pa.int64()), ("entry", pa.string()))
    return pa.schema([*names, ("by_content", pa.bool_())]).empty_table()


def _of_repositories(root: Path, engine: Engine, wishes: OptOuts) -> tuple[tuple[Path, ...], set[tuple[str, str]]]:
    """Of opted-out repositories: (what was fetched for them, and for no other; which stand in a source that stays, on
    this machine or others' too, with its location)."""
    if not wishes.names:
        return (), set()
    place = Place(folder=root / FOLDER / "fetched", engine=engine)
    former = opt_out_held.names_of(root)
    opted: set[tuple[str, str]] = set()
    others: set[str] = set()
    for row in pq.read_table(tables.repositories(root)[0], columns=["repo_name", "location"]).to_pylist():
        name = row["repo_name"]
        if wishes.covering((name, *former.get(name, ()))):
            opted.add((name, row["location"]))
        else:
            others.add(row["location"])
    for row in pq.read_table(tables.problems(root)[0], columns=["rule", "repo_name", "location"]).to_pylist():
        if row["rule"] == opt_outs.RULE:
            opted.add((row["repo_name"] or row["location"], row["location"]))
    try:
        alone = sorted({location for _, location in opted} - others)
        paths = tuple(path for location in alone for path in fetched.fetched(location, place))
    except OSError as problem:
        raise UserError(f"{problem.filename}: {problem.strerror}", "check its permissions") from None
    return paths, {one for one in opted if one[1] in others or (one[1].startswith("/") and _may_be_there(one[1]))}


def _may_be_there(location: str) -> bool:
    """Whether a folder is there, or behind what cannot be entered now."""
    try:
        Path(location).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        pass
    return True
