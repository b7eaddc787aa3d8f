"""What the filters of grams say of a query: nothing wrong of a hit."""

import numpy as np
import pyarrow as pa
import pytest

from starloom.search.grams import filters_of, in_column, may
from starloom.search.query import parse

TEXTS = ["def Quicksort(items):\n    return items\n", "ÄÖÜ straße KELVIN\u212a", "abc", "", "prepared\t one = 1"]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ('"def quicksort(" case:yes', [0]),  # the filter is folded: the text tells
        ('"äöü straße"', [1]),
        ('"quicksort(items):" -"abcdef"', [0]),
        ('"quicksort" or "prepared"', [0, 4]),
        (r"/prepared[ \t]*one/", [4]),
        (r"/items\):\s*return\s+items/", [0]),
        ('"prepared  one"', [4]),  # a run of blanks is as long as another: the text tells
        (r"/Quicksort[ \t]*items/", []),
        (r"/Quicksort.*items/", [0]),
        ('"return items" lang:python', [0]),
        ('"return" "elsewhere"', []),
        ("/ret.*ems/", None),  # too short for a gram
        ('"abc"', None),
        ('"quicksort" or "abc"', None),
        ('-"quicksort"', None),
    ],
)
def test_which_rows_may_be_hits(query, rows):
    filters = in_column(pa.array(filters_of(map(str.encode, TEXTS)), pa.large_binary()))
    asked = may(parse(query).node)
    told = None if asked is None else np.flatnonzero(asked(filters, np.arange(len(TEXTS)))).tolist()
    assert told == rows


def test_rows_that_have_gone_have_no_filter():
    filters = in_column(pa.array([None, None], pa.large_binary()))
    assert len(filters) == 2
    asked = may(parse('"anything"').node)
    assert asked is not None
    assert not asked(filters, np.arange(2)).any()
