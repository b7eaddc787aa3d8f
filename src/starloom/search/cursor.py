"""Where a page of hits ended, as a short opaque text: the next page begins behind it.

A place is told by what is known of the last hit alone (its `Key`), so a cursor stays good when the index is made anew,
with other shards or other files: what comes after is what stands behind that place now.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import blake2b
from typing import Final

from starloom.errors import UserError
from starloom.search.ask import Key

_VERSION: Final = 1
_PLACE: Final = struct.Struct(">BHQI")  # version, tier, rank, seen
_MARK: Final = 5  # bytes: 18 in all, 24 characters
_MOST_SEEN: Final = 2**32 - 1


@dataclass(frozen=True)
class Cursor:
    """`seen`: hits up to this place, for `11 to 20 of 120`."""

    after: Key
    seen: int

    def text(self, query: str) -> str:
        """The cursor of a page of this query."""
        place = _PLACE.pack(_VERSION, *self.after, min(self.seen, _MOST_SEEN))
        return urlsafe_b64encode(place + _mark(place, query)).decode()


def read(text: str, query: str) -> Cursor:
    """Raises UserError for a text that is no cursor of this query."""
    try:
        data = urlsafe_b64decode(text)
        version, tier, rank, seen = _PLACE.unpack(data[: _PLACE.size])
    except (ValueError, struct.error):
        raise UserError("this is no cursor", _REMEDY) from None
    if version != _VERSION or data[_PLACE.size :] != _mark(data[: _PLACE.size], query) or not text.isascii():
        raise UserError("the cursor belongs to another query, or was altered", _REMEDY)
    return Cursor(Key(tier, rank), seen)


def _mark(place: bytes, query: str) -> bytes:
    """Tells a slip, not a forger: all that a cursor can do is begin at another place."""
    return blake2b(place + query.strip().encode("utf-8", "surrogatepass"), digest_size=_MARK).digest()


_REMEDY: Final = "take the cursor as the page before gave it, with the same query; without one the first page is shown"
