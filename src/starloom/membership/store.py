"""The folder `membership/`, opened: its shards, each proved by the hashes of its files the first time.

A shard that is missing or damaged is left out and named: answers are then partial.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Any

import pyarrow as pa

from starloom.errors import UserError
from starloom.membership.layout import FOLDER, ORIGINS, VERSION, immutable, shard_folder
from starloom.membership.local import LocalShard
from starloom.membership.segment import damaged
from starloom.membership.shard import Covered, Shards
from starloom.workspace import checked
from starloom.workspace.manifest import FileEntry, Manifest, check_version, read_manifest


def manifest_of(root: Path) -> Manifest:
    """Of the index of the workspace `root`. Raises UserError: not there, damaged, of another version."""
    folder = root / FOLDER
    manifest = read_manifest(folder)
    if manifest is None:
        raise UserError(f"{root} has no index of matching code", "run `starloom index`")
    check_version(folder, manifest, VERSION)
    return manifest


def shards_of(root: Path) -> int:
    """How many shards the index of the workspace has. Raises UserError as `manifest_of`."""
    return len(manifest_of(root).facts.get("shards", ()))


def open_shards(root: Path, numbers: Collection[int] | None = None) -> Shards:
    """The index of the workspace `root`, or these of its shards. Raises UserError as `manifest_of`, for a number that
    is no shard's, and when every shard is damaged."""
    manifest = manifest_of(root)
    folder = root / FOLDER
    try:
        about = manifest.facts["shards"]
        every = len(about)
        wanted = sorted(range(every) if numbers is None else set(numbers))
        facts = [manifest.facts[name] for name in ("width", "files", "repositories")]
        renamed = bool(manifest.facts["renamed"])
    except (KeyError, TypeError) as problem:
        raise damaged(folder, f"its manifest lacks {problem}") from None
    if strange := [one for one in wanted if not 0 <= one < every]:
        raise UserError(
            f"{folder} has no shard {strange[0]}", f"its shards are 0 to {every - 1}" if every > 1 else "it has one: 0"
        )
    width, files, repositories = facts
    found, problems = [], []
    for number in wanted:
        entries = entries_of(manifest, number)
        covered = Covered(manifest.content, width, every, files, repositories, renamed, frozenset([number]))
        wrong = checked.problems(root, folder, list(entries.values()))
        if lacks := next(iter(wrong.values()), None) or _lacking(entries, manifest, number):
            problems.append(lacks)
            continue
        place = folder / shard_folder(number, every)
        try:
            found.append(LocalShard(place, about[number], covered))
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as problem:
            problems.append(f"{place} is damaged: {str(problem).splitlines()[0]}")
    if not found:
        raise UserError(problems[0], f"delete {folder} and run `starloom index`: it is made again")
    return Shards(found, problems)


def entries_of(manifest: Manifest, number: int) -> dict[str, FileEntry]:
    """The files of a shard, by name."""
    prefix = shard_folder(number, len(manifest.facts["shards"])) + "/"
    return {one.name: one for one in manifest.files if one.name.startswith(prefix)}


def sound(root: Path, manifest: Manifest, number: int) -> bool:
    """Whether every file of a shard is what it was written as."""
    entries = entries_of(manifest, number)
    lacks = _lacking(entries, manifest, number)
    return lacks is None and not checked.problems(root, root / FOLDER, list(entries.values()))


def _lacking(entries: dict[str, FileEntry], manifest: Manifest, number: int) -> str | None:
    """What the manifest should list of a shard and does not."""
    facts: Any = manifest.facts
    prefix = shard_folder(number, len(facts["shards"]))
    wanted = [f"{prefix}/{ORIGINS}"]
    for one in facts["shards"][number]:
        wanted += [f"{prefix}/{one['segment']}-{name}.bin" for name in immutable(bool(facts["renamed"]))]
    missing = [name for name in wanted if name not in entries]
    return f"{missing[0]} is not in the manifest" if missing else None
