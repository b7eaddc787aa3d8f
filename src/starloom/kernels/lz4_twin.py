"""The plain twin of `lz4`: the format, byte by byte."""


def plainly_unpacked(block: bytes, size: int) -> bytes | None:
    """The text of a block, `size` bytes; None where it is no such block."""
    text = bytearray()
    at = 0
    try:
        while True:
            token = block[at]
            many, at = _length(block, at + 1, token >> 4)
            if at + many > len(block) or len(text) + many > size:
                return None
            text += block[at : at + many]
            at += many
            if at == len(block):
                return bytes(text) if len(text) == size else None
            back = block[at] | block[at + 1] << 8
            many, at = _length(block, at + 2, token & 15)
            if not 0 < back <= len(text) or len(text) + many + 4 > size:
                return None
            for _ in range(many + 4):
                text.append(text[-back])
    except IndexError:
        return None


def _length(block: bytes, at: int, length: int) -> tuple[int, int]:
    """A length that begins so, and where it ends."""
    more = 255 if length == 15 else 0
    while more == 255:
        more = block[at]
        length += more
        at += 1
    return length, at
