"""Sketches made and withdrawn: see sketch.py for what one is. Each takes the place of the one before it in its folder.

Memory: the filter, which the system may put back to disk; its pages are written at random, so a disk that seeks is slow
once the filter is larger than memory (3 TB of text: 150 GB). Cost: 210 MB of folded text a CPU second.
"""

import datetime
import math
import os
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.kernels.text import UInt64s
from starloom.membership.local import LocalShard
from starloom.membership.segment import Segment
from starloom.membership.shard import Split
from starloom.membership.sketch import FILTER, KIND, VERSION, About, Withdrawn, read
from starloom.membership.store import open_shards
from starloom.outside.paths import printable
from starloom.workspace.atomic import publish
from starloom.workspace.manifest import NAME, fingerprint, open_folder
from starloom.workspace.operations import explained

SHARE: Final = 0.05  # bytes of the filter by bytes of folded text: of the text itself some 0.043
DAYS: Final = 180  # a sketch is good for
_CONTENTS: Final = 10_000  # hashed at a time
_ASKED: Final = 4 << 20  # random windows that measure the rate
_LEAST, _MOST = 0.001, 0.5

WARNING: Final = (
    "Whoever holds this sketch and a file can test whether the file is in the data, also a file that was meant to be "
    "private. And a filter cannot forget: what leaves the dataset stays in every sketch made before. Replace it when "
    "something was taken out, at the latest on its last day, and hand it on with this notice."
)


@dataclass(frozen=True)
class Contents:
    """What goes into a sketch. `hashes`: of the tiles of every content, in any order and any pieces; `tiles`: how many
    they are. `text_bytes`: white space folded."""

    width: int
    tiles: int
    files: int
    repositories: int
    text_bytes: int
    split: str | None
    hashes: Iterable[UInt64s]


def of_index(root: Path, split: Split) -> Contents:
    """What the membership index of the workspace `root` holds, for a sketch. Raises UserError: no index, or not all of
    it is there (a sketch that lacks a part would say no where yes is right)."""
    opened = open_shards(root)
    covered = opened.covered
    if not covered.whole:
        raise UserError(f"a part of the index is missing: {covered.problems[0]}", "run `starloom index` first")
    segments = [one for shard in opened.shards if isinstance(shard, LocalShard) for one in shard.segments]
    kept = [one.answers(np.arange(one.rows), split) for one in segments]
    sizes = [one.text_size[rows].astype(np.int64) for one, rows in zip(segments, kept)]
    return Contents(
        width=covered.width,
        tiles=sum(int((some // covered.width).sum()) for some in sizes),
        files=sum(map(len, sizes)),
        repositories=covered.repositories,
        text_bytes=sum(int(some.sum()) for some in sizes),
        split=split,
        hashes=(hashes for one, rows in zip(segments, kept) for hashes in _hashes(one, rows)),
    )


def _hashes(segment: Segment, kept: NDArray[np.bool_]) -> Iterator[UInt64s]:
    """Of the tiles of these contents of a segment, some thousand contents at a time; their texts lie side by side."""
    from starloom.kernels.tiles import tile_hashes

    order = np.argsort(segment.text_start, kind="stable")
    for first in range(0, len(order), _CONTENTS):
        rows = order[first : first + _CONTENTS]
        starts, sizes = segment.text_start[rows], segment.text_size[rows].astype(np.int64)
        bounds, hashes = tile_hashes(np.append(starts, starts[-1] + sizes[-1]), segment.text, segment.width)
        yield hashes[np.repeat(kept[rows], np.diff(bounds))]


def export(
    target: Path,
    contents: Contents,
    *,
    name: str,
    today: datetime.date,
    share: float = SHARE,
    days: int = DAYS,
    reason: str = "a newer one replaces it",
) -> About:
    """The sketch of some contents in the folder `target`, which a sketch may hold already: its successor withdraws it
    for that `reason`. Raises UserError for an empty dataset, wrong sizes, a folder that is no sketch's."""
    if not contents.tiles:
        raise UserError("the index has no tile to make a sketch of", "build a dataset with some code in it")
    if not _LEAST <= share <= _MOST:
        raise UserError(f"{share:g} is no size of a sketch", f"give a share of the text from {_LEAST} to {_MOST}")
    if days < 1:
        raise UserError(f"a sketch cannot be good for {days} days", "give one day or more")
    before = _before(target)
    blocks = max(int(contents.text_bytes * share) // 64, 1)
    about = About(
        name=name,
        series=before.series if before else secrets.token_hex(8),
        number=before.number + 1 if before else 1,
        made=today.isoformat(),
        until=(today + datetime.timedelta(days)).isoformat(),
        width=contents.width,
        tiles=contents.tiles,
        files=contents.files,
        repositories=contents.repositories,
        text_bytes=contents.text_bytes,
        split=contents.split,
        share=round(64 * blocks / max(contents.text_bytes, 1), 6),
        rate=0.0,
        rate_at_most=0.0,
        asked=_ASKED,
        withdrawn=None,
        withdraws=_all_before(target, before, today, reason),
    )
    with publish(
        target,
        kind=KIND,
        version=VERSION,
        fingerprint=fingerprint(about.series, about.number),
        inputs={},
        settings={"width": contents.width, "probes": 8, "block_bits": 512},
        replace=True,
    ) as draft:
        path = draft.worker_folder() / FILTER
        rate = _filled(path, blocks, contents)
        draft.adopt(path, FILTER, None)
        about = replace(about, rate=rate, rate_at_most=_at_most(rate))
        draft.write("README.md", _card(about).encode())
        draft.facts |= about.facts
    return about


def withdraw(target: Path, *, reason: str, today: datetime.date) -> About:
    """The sketch in `target` withdrawn: its filter is deleted, its manifest stays and says why, for publishing in its
    place. Raises UserError: no sketch there, no reason, withdrawn already."""
    manifest, about = read(target)
    if not reason.strip():
        raise UserError("why is it withdrawn?", "say it with --reason: people who use the sketch are told")
    if about.withdrawn:
        raise UserError(f"{target} was withdrawn already, on {about.withdrawn.date}", "export a new sketch there")
    sha256 = next(one.sha256 for one in manifest.files if one.name == FILTER)
    about = replace(about, withdrawn=Withdrawn(about.number, sha256, today.isoformat(), _line(reason)))
    with publish(
        target,
        kind=KIND,
        version=VERSION,
        fingerprint=fingerprint(about.series, about.number, "withdrawn"),
        inputs={},
        settings=manifest.settings,
        replace=True,
    ) as draft:
        draft.write("README.md", _card(about).encode())
        draft.facts |= about.facts
    return about


def _before(target: Path) -> About | None:
    return read(target)[1] if (target / NAME).is_file() else None


def _all_before(target: Path, before: About | None, today: datetime.date, reason: str) -> tuple[Withdrawn, ...]:
    """What the next sketch of a series withdraws: the one before it, and what that one did."""
    if before is None:
        return ()
    if before.withdrawn:
        return (*before.withdraws, before.withdrawn)
    manifest = open_folder(target)
    assert manifest
    sha256 = next(one.sha256 for one in manifest.files if one.name == FILTER)
    return (*before.withdraws, Withdrawn(before.number, sha256, today.isoformat(), _line(reason)))


def _line(reason: str) -> str:
    """On one line, and for a table of Markdown."""
    return printable(" ".join(reason.split()).replace("|", "/"))


def _filled(path: Path, blocks: int, contents: Contents) -> float:
    """The filter as a file; returns its rate of false positives."""
    from starloom.kernels.blooms import WORDS, add, holds

    with explained(path), path.open("wb") as file:  # a page of a map for which the disk has no room ends the process
        os.posix_fallocate(file.fileno(), 0, blocks * WORDS * 8)
    words = np.memmap(path, dtype="<u8", mode="r+", shape=(blocks * WORDS,))
    with progress.task("sketch", contents.tiles, "tiles") as bar:
        for hashes in contents.hashes:
            add(words, hashes)
            bar.advance(len(hashes))
    words.flush()
    strangers = np.random.default_rng(1).integers(0, 2**64, _ASKED, dtype=np.uint64)  # no tile, but for one in 2**40
    return int(holds(words, strangers).sum()) / _ASKED


def _at_most(rate: float) -> float:
    """The upper limit of a rate measured on _ASKED windows, 95 %: a Poisson count, three where none was seen."""
    hits = rate * _ASKED
    return round((hits + 1.645 * math.sqrt(hits) + 3) / _ASKED, 9)


def _card(about: About) -> str:
    """README.md: what the sketch is, for people who find it somewhere."""
    withdrawn = ""
    if about.withdrawn:
        one = about.withdrawn
        withdrawn = f"\n**Withdrawn on {one.date}: {one.reason}.** Delete every copy of number {one.number}.\n"
    earlier = "".join(f"| {one.number} | {one.date} | {one.reason} | {one.sha256} |\n" for one in about.withdraws)
    table = f"\n| number | withdrawn | why | sha256 of its filter |\n|---|---|---|---|\n{earlier}" if earlier else ""
    split = f", split {about.split}" if about.split else ""
    return f"""# Sketch of {about.name}, number {about.number}
{withdrawn}
Which stretches of a text may stand in a dataset, without its text: a Bloom filter of every {about.width}th stretch of
{about.width} bytes, white space folded. It names no file, repository or licence.

| | |
|---|---|
| dataset | {about.files:,} files from {about.repositories:,} repositories{split} |
| text | {about.text_bytes:,} bytes, white space folded |
| size | {about.share:.3f} of the text |
| false positives | {about.rate:.2g} of the windows that are not in the data, {about.rate_at_most:.2g} at most (95 %) |
| measured on | {about.asked:,} random windows |
| made | {about.made} |
| good until | {about.until} |
| series | {about.series} |

{WARNING}

    starloom sketch check FILE --sketch DIR
    starloom sketch check FILE --sketch DIR --newer MANIFEST    # refuses it if a later one withdraws it

Earlier numbers are withdrawn; a later manifest of this series may withdraw this one.
{table}"""
