"""Source text of any language as tokens: words, numbers, strings and marks; comments are left out.

No language is told, since a stretch that was cut out of a file tells none. The rules are those that most languages
share, and look at few bytes on both sides: wherever a stretch was cut, it falls into the tokens that it has within its
file, from its next line on at the latest, unless the cut goes through a comment of several lines.

| text | token |
|---|---|
| letters, digits, `_` and what is beyond ASCII, beginning with no digit | a keyword of KEYWORDS, or a name |
| the same beginning with a digit, and `.` before a digit | a number |
| "…", '…', `…` on one line, triple quotes; r, b, u, f, L before them | a string |
| `/*…*/`, `(* …*)`, `<!--…-->`, triple quotes that begin a line | none |
| `//` but after `:`, `#` after white space but directives of C and `#[ #( #{`, `--` between white space, `;` and `%`
that begin a line: to the line's end | none |
| any other byte | a mark |

Within a comment that was cut, lines that begin with `* ` are left out too. Blocks (of comments and triple quotes) end
within MOST_BLOCK bytes or are none: `/*` stands in paths too. Linear on any input. Cost: 250 MB/s.
"""

from typing import Any, NamedTuple

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.decoding import mix
from starloom.kernels.text import Int64s, UInt8s, UInt64s, frozen

NUMBER, STRING = 256, 257  # forms; a mark's is its byte, a keyword's a hash below NAME, a name's one from it on
NAME = np.uint64(1 << 63)
MOST_BLOCK = 1 << 14
KEYWORDS = """
    FALSE False NULL None TRUE True abstract and async await begin bool boolean break case catch char class const
    constexpr continue def default delete do done double elif else elseif elsif end endif ensure enum esac except export
    extends extern false fi final finally float fn for foreach func function goto if impl implements import in include
    inline instanceof int interface is lambda let long match module mut namespace new nil not null nullptr of or
    override package private protected pub public raise require rescue return short signed sizeof static struct switch
    template then throw throws trait true try typedef typename typeof union unless unsigned until use using val var
    virtual void volatile where while with yield
"""
DIRECTIVES = "define elif else endif endregion error if ifdef ifndef import include line pragma region undef warning"

_WHITE, _LETTER, _DIGIT, _OPENS = 1, 2, 4, 8  # classes of bytes
_KEYWORD, _DIRECTIVE = 1, 2
_SLOTS = 1024
_SEED, _STEP = np.uint64(0xCBF29CE484222325), np.uint64(0x100000001B3)
_LINE_END = np.uint8(0x0A)
_STAR, _PAREN, _ARROW, _DOUBLE, _SINGLE = range(5)  # what closes a block: */ *) --> """ '''


class Tokens(NamedTuple):
    """`form`: what each is; `start`, `end`: its bytes."""

    form: UInt64s
    start: Int64s
    end: Int64s


def tokens(text: UInt8s) -> Tokens:
    """The tokens of one text."""
    text = frozen(text, np.uint8)
    form = np.empty(len(text), dtype=np.uint64)  # touched only as far as filled
    start, end = (np.empty(len(text), dtype=np.int64) for _ in range(2))
    found = lex(text, LEXICON, form, start, end)
    return Tokens(form[:found].copy(), start[:found].copy(), end[:found].copy())


def word_form(word: bytes) -> int:
    """The form of a word."""
    h = int(_SEED)
    for byte in word:
        h = (h ^ byte) * int(_STEP) & (1 << 64) - 1
    h = int(mix(np.uint64(h)))
    return h & ~int(NAME) if word.decode("latin-1") in KEYWORDS.split() else h | int(NAME)


def _lexicon() -> Any:
    """(class of each byte; hashes of words in _SLOTS places, probed one after the other; their kinds)."""
    classes = np.zeros(256, dtype=np.uint8)
    for byte in range(128):
        if chr(byte).isalpha() or byte == ord("_"):
            classes[byte] = _LETTER
        elif chr(byte).isdigit():
            classes[byte] = _DIGIT
        elif byte in b" \n\t\r\v\f":
            classes[byte] = _WHITE
        elif byte in b"/#-;%*(<\"'`":
            classes[byte] = _OPENS
    classes[128:] = _LETTER
    words, kinds = np.zeros(_SLOTS, dtype=np.uint64), np.zeros(_SLOTS, dtype=np.uint8)
    for some, kind in ((KEYWORDS, _KEYWORD), (DIRECTIVES, _DIRECTIVE)):
        for word in some.split():
            h = word_form(word.encode()) & ~int(NAME)
            slot = h % _SLOTS
            while words[slot] and int(words[slot]) != h:
                slot = (slot + 1) % _SLOTS
            words[slot] = h
            kinds[slot] |= kind
    return frozen(classes, np.uint8), frozen(words, np.uint64), frozen(kinds, np.uint8)


@kernel
def lex(text: Any, lexicon: Any, form: Any, start: Any, end: Any) -> int:
    """Writes down the tokens of a text; how many there are: at most its bytes."""
    classes = lexicon[0]
    closers = np.full(5, -1, dtype=np.int64)
    barren = np.zeros(128, dtype=np.int64)  # of each quote: before here it opens nothing
    found = p = 0
    while p < len(text):
        first = p
        c = text[p]
        if classes[c] == _WHITE:
            p += 1
            continue
        one = np.uint64(c)
        if classes[c] == _LETTER:
            one, p = _word(text, p, lexicon)
            if not _prefixes(text, first, p):
                form[found], start[found], end[found] = one, first, p
                found += 1
                continue
            c = text[p]
        elif classes[c] == _DIGIT:
            p = _number_end(text, p, classes)
            form[found], start[found], end[found] = NUMBER, first, p
            found += 1
            continue
        stop = p
        if c == 0x22 or c == 0x27 or c == 0x60:
            stop, silent = _quoted(text, first, p, classes, closers, barren)
            if silent:
                p = stop
                continue
            if stop > p:
                one = np.uint64(STRING)
        elif classes[c] == _OPENS:
            p = _comment_end(text, p, lexicon, closers)
            if p > first:
                continue
            stop = p
        if stop == first:
            stop += 1
        form[found], start[found], end[found] = one, first, stop  # of a prefix that is none: the word alone
        found += 1
        p = stop
    return found


@kernel
def _word(text: Any, p: int, lexicon: Any) -> Any:
    """(form, end) of the word that begins at p."""
    classes = lexicon[0]
    h = _SEED
    while p < len(text) and classes[text[p]] & (_LETTER | _DIGIT):
        h = (h ^ np.uint64(text[p])) * _STEP
        p += 1
    h = mix(h)
    if _kind(h, lexicon) & _KEYWORD:
        return h & ~NAME, p
    return h | NAME, p


@kernel
def _kind(h: Any, lexicon: Any) -> Any:
    words, kinds = lexicon[1], lexicon[2]
    h &= ~NAME
    slot = np.int64(h) % _SLOTS
    while words[slot] != 0:
        if words[slot] == h:
            return np.int64(kinds[slot])
        slot = (slot + 1) % _SLOTS
    return 0


@kernel
def _prefixes(text: Any, first: int, p: int) -> bool:
    """Whether the word from `first` to p is one of a string: r"…", b'…', f"…", L"…", u8"…"."""
    if p - first > 2 or p >= len(text) or (text[p] != 0x22 and text[p] != 0x27):
        return False
    c = text[first] | np.uint8(0x20)
    return bool(c == 0x72 or c == 0x62 or c == 0x75 or c == 0x66 or c == 0x6C)


@kernel
def _number_end(text: Any, p: int, classes: Any) -> int:
    while p < len(text):
        if text[p] == 0x2E:
            if p + 1 >= len(text) or classes[text[p + 1]] != _DIGIT:
                break
        elif not classes[text[p]] & (_LETTER | _DIGIT):
            break
        p += 1
    return p


@kernel
def _quoted(text: Any, first: int, p: int, classes: Any, closers: Any, barren: Any) -> Any:
    """(end, whether it is no token) of the string whose quote is at p and whose prefix begins at `first`; (p, False):
    the quote opens none."""
    c = text[p]
    if c != 0x60 and p + 2 < len(text) and text[p + 1] == c and text[p + 2] == c:
        stop = p
        if p > first or _opens_block(text, p, classes):
            stop = _block_end(text, p, _DOUBLE if c == 0x22 else _SINGLE, closers)
        if stop == p:
            return p + 3, True
        return stop, first == 0 or text[first - 1] == _LINE_END
    if p < barren[c] or (c == 0x27 and p == first and p > 0 and classes[text[p - 1]] & (_LETTER | _DIGIT)):
        return p, False
    q = p + 1
    while q < len(text) and text[q] != c and text[q] != _LINE_END:
        q += 2 if text[q] == 0x5C else 1
    if q < len(text) and text[q] == c:
        return q + 1, False
    barren[c] = q
    return p, False


@kernel
def _opens_block(text: Any, p: int, classes: Any) -> bool:
    """Whether the triple quote at p opens, rather than closes what was cut off."""
    if (p == 0 or text[p - 1] == _LINE_END) and p + 3 < len(text) and classes[text[p + 3]] != _WHITE:
        return True
    q = p - 1
    while q >= 0 and classes[text[q]] == _WHITE:
        q -= 1
    if q < 0:
        return True
    c = text[q]
    return bool(c == 0x3A or c == 0x3D or c == 0x28 or c == 0x2C or c == 0x5B or c == 0x7B or c == 0x2B or c == 0x25)


@kernel
def _block_end(text: Any, p: int, closer: int, closers: Any) -> Any:
    """After what closes the block that opens at p; p where nothing does. `closers`: where each stands next, as far as
    was looked."""
    width = 2 if closer <= _PAREN else 3
    if closers[closer] < p + width:
        q = p + width + (closer == _ARROW)
        if closer == _STAR:
            q = _next(text, q, 0x2A, 0x2F, -1)
        elif closer == _PAREN:
            q = _next(text, q, 0x2A, 0x29, -1)
        elif closer == _ARROW:
            q = _next(text, q, 0x2D, 0x2D, 0x3E)
        elif closer == _DOUBLE:
            q = _next(text, q, 0x22, 0x22, 0x22)
        else:
            q = _next(text, q, 0x27, 0x27, 0x27)
        closers[closer] = q
    if closers[closer] >= len(text) or closers[closer] - p > MOST_BLOCK:
        return p
    return closers[closer] + width


@kernel
def _next(text: Any, q: int, one: int, two: int, three: int) -> int:
    """Where these bytes stand next (-1: there is no third); the end of the text where they do not."""
    width = 2 if three < 0 else 3
    while q + width <= len(text):
        if text[q] == one and text[q + 1] == two and (three < 0 or text[q + 2] == three):
            return q
        q += 1
    return len(text)


@kernel
def _comment_end(text: Any, p: int, lexicon: Any, closers: Any) -> Any:
    """The end of the comment that opens at p; p where none does."""
    classes = lexicon[0]
    c = text[p]
    before = text[p - 1] if p > 0 else _LINE_END
    one = text[p + 1] if p + 1 < len(text) else _LINE_END
    two = text[p + 2] if p + 2 < len(text) else _LINE_END
    starts, apart = before == _LINE_END, classes[before] == _WHITE
    if c == 0x2F and one == 0x2A:  # /*
        return _block_end(text, p, _STAR, closers)
    if c == 0x28 and one == 0x2A and (two == 0x2A or classes[two] == _WHITE):  # (* and white space or **
        return _block_end(text, p, _PAREN, closers)
    if c == 0x3C and one == 0x21 and two == 0x2D and p + 3 < len(text) and text[p + 3] == 0x2D:  # <!--
        return _block_end(text, p, _ARROW, closers)
    if c == 0x2A and starts and one == 0x2F:  # the end of a comment that was cut
        return p + 2
    if c == 0x2F:
        opens = one == 0x2F and before != 0x3A
    elif c == 0x2D:
        opens = apart and one == 0x2D and (two == 0x2D or classes[two] == _WHITE)
    elif c == 0x2A:
        opens = starts and classes[one] == _WHITE
    elif c == 0x23:
        opens = apart and not (one == 0x5B or one == 0x7B or one == 0x28 or (one == 0x21 and two == 0x5B))
        if opens and starts and classes[one] == _LETTER:
            opens = not _kind(_word(text, p + 1, lexicon)[0], lexicon) & _DIRECTIVE
    else:
        opens = starts and (c == 0x3B or c == 0x25)  # ; and %
    while opens and p < len(text) and text[p] != _LINE_END:
        p += 1
    return p


LEXICON = _lexicon()
