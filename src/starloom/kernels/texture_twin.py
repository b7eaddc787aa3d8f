"""`texture` again in plain Python: what it means, and what the tests hold it to."""

import re

from starloom.kernels.texture import COUNTS, LONG_LINE, LONG_WORD, TELLING

_SPACES = b" \t\r\f\v"
_WORD = re.compile(rb"[A-Za-z0-9_\x80-\xff]+")
_COMMENT = re.compile(rb'#|;|%|\*|//|/\*|--|"""|<!-')


def texture(text: bytes) -> dict[str, int]:
    """Twin of `texture.texture` for one file, by COUNTS; exact while its table of lines has room."""
    lines = text.split(b"\n")
    if not lines[-1]:
        lines.pop()
    bare = [line.strip(_SPACES) for line in lines]
    telling = [line for line in bare if len(line.translate(None, _SPACES)) >= TELLING]
    runs = _WORD.findall(text)
    words = [run for run in runs if not run[:1].isdigit()]
    digits = sum(one in b"0123456789" for one in text)
    spaces = sum(one in _SPACES for one in text)
    letters = sum(len(run) for run in runs) - digits
    found = {
        "letters": letters,
        "digits": digits,
        "spaces": spaces,
        "signs": len(text) - letters - digits - spaces - text.count(b"\n"),
        "lines": len(lines),
        "blank": bare.count(b""),
        "telling": len(telling),
        "repeated": len(telling) - len(set(telling)),
        "comments": sum(bool(_COMMENT.match(line)) for line in bare),
        "overhang": sum(max(len(line) - LONG_LINE, 0) for line in lines),
        "words": len(words),
        "word_bytes": sum(map(len, words)),
        "long_word_bytes": sum(len(run) for run in runs if len(run) > LONG_WORD),
    }
    assert tuple(found) == COUNTS
    return found
