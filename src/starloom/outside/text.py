"""Bytes to text: a byte order mark decides, else strict UTF-8, else a guess that must decode the whole.

Cost: UTF-8 at the speed of CPython's decoder (1.5 GB/s); a guess costs 1 to 10 ms a
file, whatever its size, because chardet sees at most `SAMPLE` bytes, of lines that are not ASCII. Spelling of
`src_encoding`: upper case as in The Stack v2 ("UTF-8", "ISO-8859-1", "WINDOWS-1252"), always a name that
Python's codecs know. "UTF-8-SIG": UTF-8 with a byte order mark, which is not part of the text.
"""

import codecs
import re
from dataclasses import dataclass
from functools import partial

import chardet

SAMPLE = 1 << 15  # bytes that chardet sees
# chardet 7.7 measures evidence, not likelihood: a French comment of 60 letters gives 0.11 for the right
# answer, one of Chinese 0.27, one `José` 0.02; bytes without sense 0.002 to 0.03. Below this its answer is
# noise.
MIN_CONFIDENCE = 0.05
# Then a few odd bytes in what is else ASCII are read as the commonest code page of source code.
MOSTLY_ASCII = 0.9

# Longest first: the mark of UTF-32 little-endian begins with the one of UTF-16. Python's "UTF-16" and
# "UTF-32" write their mark and the byte order of this machine, so on Linux the little-endian ones round-trip;
# the others do not.
_MARKS = [
    (codecs.BOM_UTF32_LE, "UTF-32", "utf-32-le"),
    (codecs.BOM_UTF32_BE, "UTF-32BE", "utf-32-be"),
    (codecs.BOM_UTF16_LE, "UTF-16", "utf-16-le"),
    (codecs.BOM_UTF16_BE, "UTF-16BE", "utf-16-be"),
]


_NOT_ASCII = bytes(range(0x80, 0x100))
_HIGH = re.compile(rb"[\x80-\xff]")

# The usual name; then names of wider encodings, for where the narrow one fails beyond the sample.
_detect = partial(chardet.detect, max_bytes=SAMPLE, encoding_era=chardet.EncodingEra.MODERN_WEB)
_SPELLINGS = [_detect, partial(_detect, prefer_superset=True), partial(_detect, compat_names=False)]


@dataclass(frozen=True)
class Decoded:
    """The text, its encoding, and whether `text.encode(src_encoding)` gives exactly the bytes again."""

    text: str
    src_encoding: str
    round_trips: bool


@dataclass(frozen=True)
class Undecodable:
    """Why there is no text."""

    reason: str


def is_binary(data: bytes) -> int | None:
    """The offset of the first NUL byte, or None; UTF-16 and UTF-32 with a byte order mark are text."""
    if any(data.startswith(mark) for mark, _, _ in _MARKS):
        return None
    found = data.find(b"\0")
    return None if found < 0 else found


def decode(data: bytes) -> Decoded | Undecodable:
    """`data` as text, without a byte order mark and never with lone surrogates."""
    for mark, name, codec in _MARKS:
        if data.startswith(mark):
            return _strictly(data[len(mark) :], codec, name, data)
    found = data.find(b"\0")
    if found >= 0:
        return Undecodable(f"binary: NUL byte at offset {found}")
    if data.startswith(codecs.BOM_UTF8):
        try:
            return Decoded(str(data[3:], "utf-8"), "UTF-8-SIG", True)
        except UnicodeDecodeError as problem:
            return _guess(data, problem.start + 3)
    try:
        return Decoded(str(data, "utf-8"), "UTF-8", True)  # strict UTF-8 is one to one: it round-trips
    except UnicodeDecodeError as problem:
        return _guess(data, problem.start)


def _guess(data: bytes, first_bad: int) -> Decoded | Undecodable:
    sample = _telling(data)
    if _is_mostly_utf8(sample):
        return Undecodable(f"damaged UTF-8: first at offset {first_bad}")
    reason = "not UTF-8, and no other encoding is likely"
    for detect in _SPELLINGS:
        guess = detect(sample)
        name, confidence = guess["encoding"], guess["confidence"]
        if name is None:
            return Undecodable(reason)
        if confidence < MIN_CONFIDENCE:
            if len(data.translate(None, _NOT_ASCII)) < MOSTLY_ASCII * len(data):
                return Undecodable(reason)
            name = "windows-1252"
        decoded = _strictly(data, name, name.upper(), data)
        if isinstance(decoded, Decoded):
            return decoded
        reason = decoded.reason
    return Undecodable(reason)


def _telling(data: bytes) -> bytes:
    """The first lines with bytes above 127, `SAMPLE` bytes in all; ASCII lines would drown their evidence."""
    pieces: list[bytes] = []
    room, start = SAMPLE, 0
    while room > 0 and (high := _HIGH.search(data, start)) is not None:
        begin = data.rfind(b"\n", 0, high.start()) + 1
        if high.start() - begin > room // 2:
            begin = high.start()  # a very long line
        end = data.find(b"\n", high.start()) + 1 or len(data)
        pieces.append(data[begin : min(end, begin + room)])
        room -= len(pieces[-1])
        start = end
    return b"".join(pieces)


def _is_mostly_utf8(sample: bytes) -> bool:
    """Whether more characters are UTF-8 than bytes are not: then any code page would spoil the sound ones."""
    characters = sample.decode("utf-8", "surrogateescape")
    bad = sum(map(characters.count, map(chr, range(0xDC80, 0xDD00))))
    good = len(characters) - bad - len(sample.translate(None, _NOT_ASCII))
    return good > bad


def _strictly(body: bytes, codec: str, name: str, whole: bytes) -> Decoded | Undecodable:
    try:
        text = body.decode(codec)
        text.encode("utf-8")  # some codecs let lone surrogates through
    except (UnicodeError, LookupError):
        return Undecodable(f"not valid {name}")
    return Decoded(text, name, _encodes(text, name) == whole)


def _encodes(text: str, name: str) -> bytes | None:
    try:
        return text.encode(name)
    except (UnicodeError, LookupError):
        return None
