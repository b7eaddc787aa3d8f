"""A sketch: the tiles of a dataset as a Bloom filter alone, for people who may not have the text; and its look-up.

A twentieth of the text, so that a model's maker can hand it out: whoever holds it tells which stretches of a text may
stand in the data, without a server; never in which file, nor under which licence. What a hit is worth is said by
numbers: a window that is not in the data is taken for one at the `rate` measured when the sketch was made, so of a text
of n windows n x rate single hits are chance; hits 50 apart (a chain, as Data Portraits has it) are chance at rate to
the power of their number. A text without a hit has no copied run of 99 normalised characters: nothing is missed.

A sketch gives away what it can be asked: whoever has a file can test whether it is in. And a filter cannot forget: what
is taken out of the dataset stays in every sketch handed out before. So a sketch has a number and a last day, a newer
one withdraws it by its hash, and one that was withdrawn, or is too old, is refused with the reason.

`DIR/`: manifest.json with all facts, `filter.bin` (kernels/blooms, little-endian; none once withdrawn), README.md.
Cost: opening hashes the filter; 40 MB of text a CPU second (of 402 MB of code, filter in memory), 24 bytes of memory a
byte of text. Not covered: renamed copies.
"""

import datetime
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from starloom.errors import UserError
from starloom.kernels.text import Int64s, UInt64s
from starloom.progress import counted
from starloom.workspace.manifest import NAME, Manifest, from_bytes, open_folder, verify

KIND: Final = "sketch"
VERSION: Final = 1
FILTER: Final = "filter.bin"
UNLIKELY: Final = 0.01  # chains of this kind expected by chance in the text, from which a chain is none
_MOST_BYTES: Final = 8 << 20  # of a text
_MOST_CHAINS: Final = 1_000
_ASK: Final = "ask whoever published it for a newer one"


@dataclass(frozen=True)
class Withdrawn:
    """A sketch that is not to be used any more: `sha256` of its filter, the day, and why."""

    number: int
    sha256: str
    date: str
    reason: str


@dataclass(frozen=True)
class About:
    """What a sketch says of itself. `share`: its size by `text_bytes`, which are those of the folded text. `rate`: the
    share of windows taken for members that are none, as measured on `asked` random ones; `rate_at_most`: its upper
    limit, 95 %. `until`: its last day.

    `series`: the same for all sketches that replaced one another, of which this is `number`. `withdrawn`: this very
    one was; `withdraws`: earlier ones of the series that this one replaces.
    """

    name: str
    series: str
    number: int
    made: str
    until: str
    width: int
    tiles: int
    files: int
    repositories: int
    text_bytes: int
    split: str | None
    share: float
    rate: float
    rate_at_most: float
    asked: int
    withdrawn: Withdrawn | None
    withdraws: tuple[Withdrawn, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "About":
        """Raises KeyError, TypeError for facts that are none of a sketch."""
        facts = dict(manifest.facts)
        withdrawn = facts.pop("withdrawn")
        withdraws = tuple(Withdrawn(**one) for one in facts.pop("withdraws"))
        return cls(**facts, withdrawn=Withdrawn(**withdrawn) if withdrawn else None, withdraws=withdraws)

    @property
    def facts(self) -> dict[str, Any]:
        """As `of` reads them."""
        return asdict(self) | {"withdraws": [asdict(one) for one in self.withdraws]}


class Chain(NamedTuple):
    """Characters `start` to `end` (exclusive) of the text, on which lines, counted from 1: `tiles` hits a tile's width
    apart. `by_chance`: how many chains of so many hits are expected in a text of this length that is not in the data.
    """

    start: int
    end: int
    first_line: int
    last_line: int
    tiles: int
    by_chance: float


@dataclass(frozen=True)
class Answer:
    """`status`: "match", some chain is unlikely to be chance; "unsure", there are chains, and chance explains each;
    "no_match"; "not_covered", shorter than a tile. `coverage`: of the text's characters, white space folded, in chains
    that are unlikely to be chance. `windows`: how many were asked. `chains`: the longest first, at most 1,000."""

    status: Literal["match", "unsure", "no_match", "not_covered"]
    verdict: str
    coverage: float
    characters: int
    windows: int
    by_chance: float
    chains: list[Chain]

    def to_json(self) -> dict[str, Any]:
        return asdict(self) | {"chains": [one._asdict() for one in self.chains]}


class Sketch:
    """An opened sketch; many threads may ask at a time. Nothing asked is kept."""

    def __init__(self, about: About, words: UInt64s) -> None:
        self.about = about
        self._words = words

    @classmethod
    def open(cls, folder: Path, *, today: datetime.date, newer: Path | None = None) -> "Sketch":
        """The sketch in `folder`, hashed. `newer`: a folder or manifest.json of its series, which may withdraw it.

        Raises UserError: none there, damaged, of a newer Starloom, withdrawn, past its last day, of another series.
        """
        manifest, about = read(folder)
        entry = next((one for one in manifest.files if one.name == FILTER), None)
        sha256 = entry.sha256 if entry else about.withdrawn.sha256 if about.withdrawn else ""
        known = [about.withdrawn] if about.withdrawn else []
        if newer is not None:
            later = read(newer)[1]
            if later.series != about.series:
                raise UserError(f"{newer} is not of the series of {folder}", "give a later sketch of the same dataset")
            known += [*later.withdraws, *([later.withdrawn] if later.withdrawn else [])]
        for one in known:
            if one.sha256 == sha256:
                raise UserError(
                    f"the sketch in {folder} (number {about.number}) was withdrawn on {one.date}: {one.reason}", _ASK
                )
        if today.isoformat() > about.until:
            raise UserError(f"the sketch in {folder} was good until {about.until}: data may have left since", _ASK)
        if problems := verify(folder):
            raise UserError(f"the sketch is damaged: {problems[0]}", "copy it anew")
        if entry is None or entry.bytes == 0 or entry.bytes % 64:
            raise UserError(f"{folder} has no filter", "copy it anew")
        return cls(about, np.asarray(np.memmap(folder / FILTER, dtype="<u8", mode="r")))

    def check(self, text: str) -> Answer:
        """`text` against the sketch. Raises UserError for a text above 8 MB, or with lone surrogates."""
        from starloom.kernels.blooms import holds
        from starloom.kernels.fold import fold_with_map
        from starloom.kernels.windows import window_hashes

        try:
            data = np.frombuffer(text.encode(), dtype=np.uint8)
        except UnicodeEncodeError:
            raise UserError("the text is no Unicode: it has lone surrogates", "decode it strictly") from None
        if len(data) > _MOST_BYTES:
            raise UserError(f"the text has {len(data):,} bytes, more than {_MOST_BYTES:,}", "check it in pieces")
        folded, sources = fold_with_map(data)
        begins = (folded & 0xC0) != 0x80
        characters = int(begins.sum())
        width, rate = self.about.width, self.about.rate_at_most
        windows = max(len(folded) - width + 1, 0)
        hits = np.flatnonzero(holds(self._words, window_hashes(folded, width))) if windows else np.zeros(0, np.int64)
        start, tiles = chains(hits, width)
        by_chance = windows * rate ** tiles.astype(np.float64)
        covered = np.zeros(len(folded) + 1, dtype=np.int64)
        telling = by_chance < UNLIKELY
        np.add.at(covered, start[telling], 1)
        np.add.at(covered, start[telling] + tiles[telling] * width, -1)
        inside = np.cumsum(covered)[:-1] > 0
        found = _shown(text, data, sources, start, start + tiles * width, tiles, by_chance)
        status: Literal["match", "unsure", "no_match", "not_covered"]
        status = "not_covered" if not windows else "no_match" if not found else "match" if telling.any() else "unsure"
        coverage = float(inside[begins].mean()) if characters else 0.0
        return Answer(status, self._verdict(status), coverage, characters, windows, windows * rate, found)

    def _verdict(self, status: str) -> str:
        where = f"the {counted(self.about.repositories, 'repositories')} of this sketch (of {self.about.made})"
        return {
            "match": f"very likely in {where}",
            "unsure": f"hits in {where}, no more than chance makes",
            "no_match": f"no match in {where}",
            "not_covered": f"not covered: shorter than {self.about.width} characters",
        }[status]


def read(place: Path) -> tuple[Manifest, About]:
    """The manifest of a sketch, and what it says: of a folder, or of a manifest.json alone. Raises UserError."""
    if place.is_dir():
        manifest = open_folder(place)
    else:
        manifest = from_bytes(place.read_bytes(), place) if place.is_file() else None
    if manifest is None:
        raise UserError(f"there is no sketch at {place}", f"give a folder of `starloom sketch export`, or its {NAME}")
    if manifest.kind == KIND and manifest.version > VERSION:
        raise UserError(f"{place} was made by a newer Starloom", "update it: pip install --upgrade starloom")
    try:
        if manifest.kind != KIND:
            raise KeyError(manifest.kind)
        return manifest, About.of(manifest)
    except (KeyError, TypeError):
        raise UserError(f"{place} is no sketch", "give a folder of `starloom sketch export`") from None


def chains(hits: Int64s, width: int) -> tuple[Int64s, Int64s]:
    """(start, number of hits) of each longest run of hits that are `width` apart; those inside another are left out.

    >>> chains(np.array([3, 10, 53, 103, 200]), 50)
    (array([  3, 200]), array([3, 1]))
    """
    if not len(hits):
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    ordered = hits[np.lexsort((hits, hits % width))]
    first = np.flatnonzero(np.concatenate(([True], np.diff(ordered) != width)))
    tiles = np.diff(np.append(first, len(ordered)))
    start = ordered[first]
    order = np.lexsort((-tiles, start))
    start, tiles = start[order], tiles[order]
    reach = np.maximum.accumulate(start + tiles * width)
    inside = np.concatenate(([False], (start + tiles * width)[1:] <= reach[:-1]))
    return start[~inside], tiles[~inside]


def _shown(
    text: str, data: Any, sources: Int64s, start: Int64s, end: Int64s, tiles: Int64s, by_chance: Any
) -> list[Chain]:
    """The chains, the longest first, by characters and lines of the text."""
    order = np.lexsort((start, -tiles))[:_MOST_CHAINS]
    first, last = sources[start[order]], sources[end[order] - 1]
    line_ends = np.flatnonzero(data == 0x0A)
    lines = np.searchsorted(line_ends, first) + 1, np.searchsorted(line_ends, last) + 1
    if len(data) != len(text):
        character = np.cumsum((data & 0xC0) != 0x80) - 1
        first, last = character[first], character[last]
    columns = (first, last + 1, *lines, tiles[order], by_chance[order])
    return [Chain(*row) for row in zip(*(column.tolist() for column in columns))]
