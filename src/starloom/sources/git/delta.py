"""A delta of a pack file: the orders that make one object out of another. Format: git's `gitformat-pack`.

A crafted delta raises ValueError or IndexError, at the latest when it would make more than it announces.
"""

LONG = 1_000  # bytes of a delta above which a kernel is much quicker


def lengths(delta: bytes) -> tuple[int, int, int]:
    """(bytes of the base, bytes of what is made of it, where the orders begin). The first 20 bytes are enough."""
    base, at = _length(delta, 0)
    made, at = _length(delta, at)
    return base, made, at


def applied(base: bytes, delta: bytes, limit: int, many: bool = False) -> bytes:
    """What `delta` makes of `base`, at most `limit` bytes. `many`: there are so many that a kernel is worth loading."""
    expected, made, at = lengths(delta)
    if expected != len(base) or made > limit:
        raise ValueError("a delta of something else")
    if many and len(delta) > LONG and base:
        from starloom.kernels.copies import followed

        return followed(base, delta, at, made)
    pieces: list[bytes] = []
    rest, end = made, len(delta)
    while at < end:
        order = delta[at]
        at += 1
        if order < 0x80:  # so many bytes of the delta itself
            rest -= order
            pieces.append(delta[at : at + order])
            at += order
        else:
            count, mask, shift = _COPIES[order]
            word = int.from_bytes(delta[at : at + count], "little")
            if mask < 0:
                word = _spread(word, order)
                mask, shift = _START, 32
            at += count
            size = word >> shift or 0x10000
            rest -= size
            start = word & mask
            pieces.append(base[start : start + size])
        if rest < 0:
            raise ValueError("a delta that makes too much")
    data = b"".join(pieces)
    if at != end or len(data) != made:
        raise ValueError("a damaged delta")
    return data


def _length(delta: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = delta[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if not byte & 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("an endless length")


def _spread(word: int, order: int) -> int:
    """The start of a copy in the lower 32 bits, its size above: `word` has the bytes of them that are not zero, and the
    bits of `order` tell which these are."""
    found = 0
    for bit in range(7):
        if order >> bit & 1:
            found |= (word & 0xFF) << 8 * bit
            word >>= 8
    return found


def _copy(order: int) -> tuple[int, int, int]:
    """(bytes that follow, mask of the start in them, bits before the size); mask -1 where one between is left out."""
    start, size = order & 15, order >> 4 & 7
    plain = not start & start + 1 and not size & size + 1
    bits = 8 * start.bit_count()
    return start.bit_count() + size.bit_count(), (1 << bits) - 1 if plain else -1, bits


_START = (1 << 32) - 1
_COPIES = [_copy(order) for order in range(256)]  # an order of 0x80 and above copies from the base
