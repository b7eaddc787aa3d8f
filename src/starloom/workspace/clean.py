"""Removing what nothing needs: parts that no index names (a killed run published and never committed them) and drafts;
and, when asked for by name, a stage's whole output, which the next build makes again.

Only folders that carry a manifest of ours, or an aside's name, are ever removed.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from starloom.workspace import atomic
from starloom.workspace.lock import lock
from starloom.workspace.manifest import NAME, Manifest, read_manifest
from starloom.workspace.stage import Stage


@dataclass(frozen=True)
class Removal:
    """A folder that goes, the bytes it holds, and why."""

    path: Path
    bytes: int
    reason: str


def removals(root: Path, stages: Sequence[Stage], whole: Sequence[str]) -> list[Removal]:
    """What `clean` would remove: unreferenced parts below the folders of `stages`, and the outputs named in `whole`."""
    found = []
    for stage in stages:
        folder = root / stage.folder
        if stage.name in whole:
            if (folder / NAME).exists():
                found.append(Removal(folder, _bytes(folder), f"the output of `{stage.name}`, asked for"))
            continue
        for part in _unreferenced(folder):
            found.append(Removal(part, _bytes(part), "no index names it"))
    return found


def clean(root: Path, stages: Sequence[Stage], whole: Sequence[str], command: str) -> list[Removal]:
    """Removes what `removals` finds, and the drafts of dead runs. Raises UserError when somebody builds."""
    with lock(root, command):
        atomic.recover(root)
        found = removals(root, stages, whole)
        for one in found:
            atomic.remove_folder(one.path)
    return found


def _unreferenced(folder: Path) -> Iterator[Path]:
    """Parts in a cache, or in the caches one level below, that its index does not name."""
    index = read_manifest(folder)
    if index is None:
        return
    named = {file.name.split("/")[0] for file in index.files if file.name.endswith(f"/{NAME}")}
    if not named and not _is_cache(index):
        return  # a stage's own folder: it holds what its manifest names, or it would not be there
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not (path / NAME).is_file():
            continue
        if path.name not in named:
            yield path
        elif not _is_cache(index):  # signals/, an index of indexes; documents/, of workspaces with stages of their own
            inner = read_manifest(path)
            for below in [path] if inner and _is_cache(inner) else sorted(path.iterdir()):
                if below.is_dir() and not below.is_symlink():
                    yield from _unreferenced(below)


def _is_cache(index: Manifest) -> bool:
    return index.kind.endswith("-index")


def _bytes(folder: Path) -> int:
    return sum(os.lstat(Path(place) / name).st_size for place, _, names in os.walk(folder) for name in names)
