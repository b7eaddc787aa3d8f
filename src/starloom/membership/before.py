"""The index that is there, as far as the next one can have it: its segments linked, and the text of what left wiped."""

import bisect
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom.errors import UserError
from starloom.kernels.text import UInt8s
from starloom.membership.layout import FOLDER, GONE, ID_BYTES, VERSION, immutable, shard_folder
from starloom.membership.plan import Old
from starloom.membership.segment import mapped
from starloom.membership.settings import MembershipSettings
from starloom.membership.store import entries_of, sound
from starloom.workspace.atomic import Draft
from starloom.workspace.manifest import Manifest, read_manifest

_COPIED: Final = 1 << 24  # bytes at a time


class Before:
    """The index of the workspace `root`, where the next one has the same settings, shards and way of writing."""

    def __init__(self, root: Path, written: str, shards: int, settings: MembershipSettings) -> None:
        self._root = root
        self._folder = root / FOLDER
        self._shards = shards
        self._renamed = settings.renamed
        self._manifest = _usable(self._folder, [settings.profile, settings.renamed, written], shards)

    def segments(self, number: int) -> list[Old]:
        """Those of a shard; none where something of it is damaged."""
        if self._manifest is None or not sound(self._root, self._manifest, number):
            return []
        return [self._old(number, int(about["segment"])) for about in self._manifest.facts["shards"][number]]

    def keep(self, draft: Draft, number: int, segment: int, states: UInt8s) -> tuple[UInt8s, dict[str, Any]]:
        """Links the files of a segment into the draft, the text copied where contents left; (its ids, what the facts
        say of it). `states`: those that its contents have from now on."""
        assert self._manifest is not None
        entries = entries_of(self._manifest, number)
        old = self._old(number, segment)
        wiped = bool(((old.states != GONE) & (states == GONE)).any())
        for name in immutable(self._renamed):
            path = f"{shard_folder(number, self._shards)}/{segment}-{name}.bin"
            if name == "text" and wiped:
                self._wipe(draft, number, segment, states, path)
            else:
                draft.keep(self._folder / path, path, entries[path])
        about = next(one for one in self._manifest.facts["shards"][number] if one["segment"] == segment)
        return old.ids, about

    def _wipe(self, draft: Draft, number: int, segment: int, states: UInt8s, path: str) -> None:
        """The text without that of contents that are gone: zeros stand there."""
        text, starts, sizes = (
            self._column(number, segment, name, kind)
            for name, kind in (("text", "u1"), ("text_start", "<i8"), ("text_size", "<u4"))
        )
        gone = np.flatnonzero(states == GONE)
        spans = sorted(zip(starts[gone].tolist(), (starts[gone] + sizes[gone]).tolist()))
        with draft.create(path) as output:
            for begun in range(0, len(text), _COPIED):
                piece: UInt8s = np.array(text[begun : begun + _COPIED])
                low = bisect.bisect_right(spans, (begun, begun)) - 1
                for start, end in spans[max(low, 0) : bisect.bisect_left(spans, (begun + _COPIED, 0))]:
                    piece[max(start - begun, 0) : max(end - begun, 0)] = 0
                output.write(piece.data)

    def _old(self, number: int, segment: int) -> Old:
        ids, marks, states, sizes = (
            self._column(number, segment, name, kind)
            for name, kind in (("ids", "u1"), ("mark", "<u8"), ("state", "u1"), ("text_size", "<u4"))
        )
        return Old(segment, ids.reshape(-1, ID_BYTES), marks, states, sizes.astype(np.int64))

    def _column(self, number: int, segment: int, name: str, kind: str) -> NDArray[Any]:
        folder = self._folder / shard_folder(number, self._shards)
        return mapped(folder / f"{segment}-{name}.bin", np.dtype(kind))


def _usable(folder: Path, same: list[Any], shards: int) -> Manifest | None:
    try:
        found = read_manifest(folder)
    except UserError:
        return None
    if found is None or found.version != VERSION:
        return None
    told = [found.facts.get(name) for name in ("width", "renamed", "written")]
    return found if told == same and len(found.facts.get("shards", ())) == shards else None
