"""The origin of a content among its copies: as a few lines of Python find it, content by content."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from starloom.the_stack.copied_licenses import Files, origins

FILE = st.tuples(
    st.integers(-1, 3),  # content
    st.booleans(),  # not empty
    st.booleans(),  # vendored
    st.none() | st.integers(-2, 2),  # first seen
    st.integers(0, 2),  # kind of licence
)


def origin(rows):
    """The number of the origin among these (number, file) of one content; -1: they are in conflict."""
    own = [row for row in rows if not row[1][2]]
    if any(file[1] for _, file in own):
        rows = own
    seen = [file[3] for _, file in rows]
    if len({file[4] for _, file in rows}) > 1:
        rows = [row for row in rows if None not in seen and row[1][3] == min(seen)]
    if len({file[4] for _, file in rows}) != 1:
        return -1
    return min(rows, key=lambda row: (row[1][3] is None, row[1][3] or 0, row[0]))[0]


@given(st.lists(FILE, max_size=14))
def test_as_told_one_by_one(files):
    columns = list(zip(*files, strict=True)) or [()] * 5
    dated = np.array([one is not None for one in columns[3]], np.bool_)
    seen = np.array([one or 0 for one in columns[3]], np.int64)
    content, kind = (np.array(columns[place], np.int64) for place in (0, 4))
    counts, is_vendor = (np.array(columns[place], np.bool_) for place in (1, 2))
    found = origins(Files(content, counts, is_vendor, dated, seen, kind))
    for number, (one, *_) in enumerate(files):
        rows = [row for row in enumerate(files) if row[1][0] == one]
        copied = one >= 0 and sum(file[1] for _, file in rows) > 1
        assert found.is_copied[number] == copied
        assert found.best[number] == (origin(rows) if copied else -1)
