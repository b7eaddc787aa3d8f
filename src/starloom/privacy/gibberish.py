"""Whether a string is made of words, as names are, or of random characters, as keys are.

Each character costs the bits that tell it after the two before it, by a table of what names in source code look like
(scripts/gibberish_table.py makes it). Case counts where it changes within a word. Cost: ~10 MB/s of the few values
that are asked about. Languages other than English pass for random more often.
"""

import re
import zipfile
from functools import cache, lru_cache
from pathlib import Path

TABLE = Path(__file__).with_suffix(".zip")
LONGEST = 96  # characters of a value that are looked at
SYMBOLS = "abcdefghijklmnopqrstuvwxyz0_^"  # letters; any digit; anything else; the lower case before a capital ends
WORDY = 5.2  # bits a character: 1 in 100 strings in quotes costs more, 1 in 1,000 of 12 random letters and digits less

_HEX = re.compile(r"[0-9a-f]{16,256}|[0-9A-F]{16,256}")
_RUN = re.compile(r"[0-9a-f]{32,256}|[A-Za-z0-9]{12,256}")
_CAPITAL = re.compile(rb"(?<=[a-z])(?=[A-Z])")
_MARK = b"\xff"
_KNOWN = {**{letter: code for code, letter in enumerate(SYMBOLS[:26])}, **dict.fromkeys("0123456789", 26)}
_CODES = bytes(28 if code == 255 else _KNOWN.get(chr(code).lower(), 27) for code in range(256))


@lru_cache(1024)
def bits(value: str) -> float:
    """Bits a character of `value`, on average: 2 to 4.5 of names, 6 to 9 of random letters and digits; 0 of nothing.
    Of hexadecimal digits it says little: half of them are no letters.

    >>> bits("get_user_name") < WORDY < bits("q8ZtV2xKfJ0w")
    True
    """
    value = value[:LONGEST]
    codes = symbols(value)
    table = _table()
    total = 0
    for a, b, c in zip(codes, codes[1:], codes[2:], strict=False):
        total += table[(a * 29 + b) * 29 + c]
    return total / 2 / max(len(value), 1)


def is_hex(value: str) -> bool:
    """Whether it is 16 or more hexadecimal digits, of one case, letters and figures among them, no few of each."""
    return _HEX.fullmatch(value) is not None and len(set(value)) >= 7 and not value.isdigit() and not value.isalpha()


@lru_cache(1024)
def is_random(value: str) -> bool:
    """Whether a value looks drawn at random: hexadecimal digits, or letters and digits that make no words, in all or in
    a part of it. Of letters alone more is asked.

    >>> is_random("symfony/monolog-bundle2"), is_random("q8ZtV2xKfJ0wPd93")
    (False, True)
    """
    if not any(one.isdigit() for one in value):
        return len(value) >= 15 and bits(value) > WORDY + 1 and len(set(value)) > 9
    if is_hex(value):
        return True
    if len(set(value)) < 7 or sum(one.isalpha() for one in value) < 3:
        return False
    return bits(value) > WORDY or any(
        is_hex(run) or (bits(run) > WORDY and any(one.isdigit() for one in run)) for run in _RUN.findall(value)
    )


def symbols(value: str) -> bytes:
    """Codes of SYMBOLS: `value` between two separators and one, a mark where a capital follows a small letter."""
    marked = _CAPITAL.sub(_MARK, value.encode("ascii", "replace"))
    return b"\x1b\x1b" + marked.translate(_CODES) + b"\x1b"


@cache
def _table() -> bytes:
    with zipfile.ZipFile(TABLE) as archive:
        return archive.read("triples")
