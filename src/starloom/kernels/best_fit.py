"""Best-fit decreasing: items into as few rows of one size as may be.

The largest item first, each into the row with the least room that suffices, a new row where none has it (arXiv
2404.10830, section 3, packs training sequences so). Rows are found by the room they have left: a list of rows for each
room, a tree of bits over which lists are not empty. Cost: 10 to 20 million items a second in
calls of some ten thousand, 4 to 6 in calls of millions, which no cache holds; 24 bytes an item, 11 a unit of a row.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.text import Int32s, Int64s, frozen


def best_fit(lengths: Int32s, size: int) -> tuple[Int32s, int]:
    """(row int32[n], rows): the row of each item, and how many there are, numbered as they were opened.

    lengths: int32[n], each from 1 to `size`. Of rows with the same room, the one that came to it last is filled. Raises
    ValueError for an item that fits no row.
    """
    lengths = frozen(lengths, np.int32)
    if not 0 < size < 2**31 - 1:
        raise ValueError(f"rows of {size}")
    if len(lengths) and (lengths.min() < 1 or lengths.max() > size):
        raise ValueError(f"items of {lengths.min()} to {lengths.max()} for rows of {size}")
    row = np.empty(len(lengths), dtype=np.int32)
    rows = _best_fit(lengths, size, _largest_first(lengths, size), row)
    return row, int(rows)


def grouped(row: Int32s, rows: int) -> tuple[Int64s, Int32s]:
    """(first int64[rows + 1], items int32[n]): the items by row, those of row r are `items[first[r]:first[r + 1]]`, in
    order. row: int32[n], of each item, below `rows`, every row with an item. Rows are numbered anew, by their first
    item. Raises ValueError for other rows."""
    row = frozen(row, np.int32)
    if len(row) and not 0 <= int(row.min()) <= int(row.max()) < rows:
        raise ValueError(f"items in rows {row.min()} to {row.max()} of {rows}")
    first, items, seen = _grouped(row, rows)
    if seen != rows:
        raise ValueError(f"items in {seen} of {rows} rows")
    return first, items


@kernel
def _largest_first(lengths: Any, size: int) -> Any:
    """The items by length, longest first; equal ones in order."""
    places = np.zeros(size + 1, dtype=np.int32)
    for i in range(len(lengths)):
        places[size - lengths[i]] += 1
    place = 0
    for k in range(size + 1):
        count = places[k]
        places[k] = place
        place += count
    order = np.empty(len(lengths), dtype=np.int32)
    for i in range(len(lengths)):
        k = size - lengths[i]
        order[places[k]] = i
        places[k] += 1
    return order


@kernel
def _best_fit(lengths: Any, size: int, order: Any, row: Any) -> int:
    """The row of each item, as rows were opened; returns how many."""
    leaves = 1
    while leaves < size + 1:
        leaves *= 2
    some = np.zeros(2 * leaves, dtype=np.bool_)  # node k has the nodes 2k and 2k + 1; leaf of a room: leaves + room
    head = np.full(size + 1, -1, dtype=np.int32)  # the last row that came to this room
    under = np.empty(len(lengths), dtype=np.int32)  # the row that came to its room before
    rows = 0
    for k in range(len(order)):
        length = lengths[order[k]]
        node = _at_least(some, leaves, leaves + length)
        if node:
            room = node - leaves
            found = head[room]
            head[room] = under[found]
            if head[room] < 0:
                some[node] = False
                while node > 1 and not some[node ^ 1]:
                    node >>= 1
                    some[node] = False
        else:
            room = size
            found = rows
            rows += 1
        row[order[k]] = found
        room -= length
        if room > 0:
            under[found] = head[room]
            head[room] = found
            node = leaves + room
            while node and not some[node]:
                some[node] = True
                node >>= 1
    return rows


@kernel
def _at_least(some: Any, leaves: int, node: int) -> int:
    """The first leaf from leaf `node` on that is set; 0 where there is none."""
    while not some[node]:
        while node & 1:  # a right child: nothing further right below this parent
            node >>= 1
            if node == 0:
                return 0
        node += 1  # a left child: its sibling
    while node < leaves:
        node *= 2
        if not some[node]:
            node += 1
    return node


@kernel
def _grouped(row: Any, rows: int) -> Any:
    """(first, items), and how many rows have an item."""
    number = np.full(rows, -1, dtype=np.int32)
    first = np.zeros(rows + 1, dtype=np.int64)
    seen = 0
    for i in range(len(row)):
        if number[row[i]] < 0:
            number[row[i]] = seen
            seen += 1
        first[number[row[i]] + 1] += 1
    for r in range(rows):
        first[r + 1] += first[r]
    items = np.empty(len(row), dtype=np.int32)
    place = first[:-1].copy()
    for i in range(len(row)):
        r = number[row[i]]
        items[place[r]] = i
        place[r] += 1
    return first, items, seen
