"""What a query that found nothing may have meant."""

import pytest

from starloom.errors import UserError
from starloom.search.hints import hint


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("left AND right", "`AND` was looked for as a word"),
        ("left NOT (right or wrong)", "`NOT` was looked for as a word"),
        ("left -AND", 'write `"left"`'),  # what is excluded was not looked for
        ("/asyncio/i", "`/(?i)asyncio/`"),
        ("/usr/bin", None),
        ("/usr/bin/g", None),
        ("tree path:*.py", "`path:/[.]pyi?$/`"),
        ("repo:/sorty file:a?", "`file:` takes a piece"),
        ("event_loop", 'write `"event_loop"`'),
        ("lang:python sym:Tree", "`Tree` alone"),
        ('"event_loop"', None),
        ("/event.loop/", None),
        ("-left", None),
        ("path:src/", None),
        ("path:/.*[.]py$/ sym:/Tree/", None),
    ],
)
def test_what_may_have_been_meant(query, said):
    told = hint(query)
    assert told is None if said is None else said in (told or "")


def test_what_is_no_query():
    with pytest.raises(UserError):
        hint("(left")
