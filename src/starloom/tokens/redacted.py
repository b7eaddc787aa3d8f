"""Where the markers of personal data stand in a text of the dataset, and which tokens they are.

A marker is known by its place, as `write` noted it, never by its looks: `<EMAIL>` that somebody wrote is text.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final, TypeAlias

import pyarrow as pa

from starloom.privacy.markers import SPELLINGS

COLUMN: Final = "redactions"  # of the dataset

# Of a text: (start, end, token) of each marker, in order; characters.
Markers: TypeAlias = tuple[tuple[int, int, int], ...]

# A text in parts: text that is encoded by itself, and tokens.
Parts: TypeAlias = tuple[str | int, ...]


def noted(rows: pa.Table | pa.RecordBatch) -> list[Sequence[Mapping[str, Any]]]:
    """Of each row of the dataset what was replaced in its content; nothing where an older Starloom wrote it."""
    if COLUMN not in rows.schema.names:
        return [()] * len(rows)
    return [found or () for found in rows.column(COLUMN).to_pylist()]


def markers(content: str, redactions: Iterable[Mapping[str, Any]], tokens: Mapping[str, int]) -> Markers:
    """Those of the redactions that are markers with a token of their own among `tokens`: invented values and private
    addresses are text.

    >>> markers("by <NAME>", [{"start": 3, "end": 9, "kind": "NAME"}], {"<NAME>": 34})
    ((3, 9, 34),)
    """
    found = []
    for one in redactions:
        token = tokens.get(SPELLINGS.get(content[one["start"] : one["end"]], ""))
        if token is not None:
            found.append((one["start"], one["end"], token))
    return tuple(found)


def parts(content: str, marked: Markers, start: int = 0, stop: int | None = None) -> Parts:
    """content[start:stop], which cuts no marker, with its markers as tokens.

    >>> parts("by <NAME>", ((3, 9, 34),))
    ('by ', 34)
    """
    stop = len(content) if stop is None else stop
    found: list[str | int] = []
    at = start
    for first, end, token in marked:
        if start <= first < stop:
            found += [content[at:first], token]
            at = end
    return joined((*found, content[at:stop]))


def joined(some: Iterable[str | int]) -> Parts:
    """Neighbouring texts as one, empty ones left out."""
    return tuple(_joined(some))


def _joined(some: Iterable[str | int]) -> Iterator[str | int]:
    for kind, group in groupby(some, type):
        if kind is int:
            yield from group
        elif text := "".join(map(str, group)):
            yield text
