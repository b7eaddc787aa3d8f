"""Where what a rule opened ends: strings with escapes, nested comments, here-documents and the other forms."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.lexical_rules import BITS, SKIPPED, STRING
from starloom.kernels.swar import line_end

CLOSED, INTERPOLATED, FAILED = 0, 1, 2

_ESCAPES, _GRAVE, _DOUBLED, _MULTI, _NESTS, _CHARACTER = (
    BITS["e"],
    BITS["g"],
    BITS["d"],
    BITS["m"],
    BITS["n"],
    BITS["c"],
)
_FIRST_ON_LINE = BITS["l"]
_DOLLAR, _HASH, _PAREN, _BACKSLASH, _BRACE = BITS["$"], BITS["#"], BITS["("], BITS["p"], BITS["{"]
_CODE = _DOLLAR | _HASH | _PAREN | _BACKSLASH | _BRACE
_LONG, _RAW, _HASHES, _QUOTE, _TWO = BITS["L"], BITS["X"], BITS["U"], BITS["Q"], BITS["2"]
_POD, _REGEX = BITS["P"], BITS["R"]
_MARKED = _QUOTE | _TWO

REGEX_MOST = 1000  # bytes of a regular expression
MARKED_MOST = 65536  # of a quote with a mark of one's choice
_CUT = np.frombuffer(b"=cut", np.uint8)


@leaf
def closing(text: Any, p: Any, inside: Any, rule: Any, packed: Any, budget: Any) -> Any:
    """(end, CLOSED | INTERPOLATED | FAILED, the budget left) of what opened at p, whose content begins at `inside`."""
    kinds, all_flags, lengths, closes = packed[3], packed[4], packed[5], packed[7]
    flags = all_flags[rule]
    budget = np.int64(budget)
    n = len(text)
    length = np.int64(lengths[rule, 1])
    if flags & _CHARACTER:
        end = _character(text, inside, closes[rule, 0])
        return end, CLOSED if end >= 0 else FAILED, budget
    if flags & _REGEX:
        return _regex(text, inside, budget)
    if flags & _MARKED:
        return _marked(text, inside, flags & _TWO > 0, budget)
    if flags & _POD:
        return _pod(text, inside), CLOSED, budget
    if flags & _LONG:
        return _long(text, inside)[0], CLOSED, budget
    if flags & _RAW:
        return _raw(text, inside), CLOSED, budget
    if flags & _HASHES:
        return _hashes(text, p, inside), CLOSED, budget
    if length == 0 and kinds[rule] == SKIPPED:
        return inside, CLOSED, budget
    if length == 0:  # to the end of the line
        inside = line_end(text, inside)
        if inside > p and inside < n and text[inside - 1] == 0x0D:
            inside -= 1
        return inside, CLOSED, budget
    if kinds[rule] != STRING:
        return _block(text, inside, rule, packed), CLOSED, budget
    end, status = _string(text, inside, rule, packed)
    if status == FAILED:
        if budget < end - inside:
            return end, CLOSED, budget
        budget -= end - inside
    return end, status, budget


@leaf
def resumed(text: Any, p: Any, rule: Any, packed: Any, budget: Any) -> Any:
    """The same of a string that goes on at p, after code in it; it never fails."""
    end, status = _string(text, p, rule, packed)
    return end, CLOSED if status == FAILED else status, budget


@leaf
def _matches(text: Any, p: Any, wanted: Any, length: Any) -> Any:
    if p + length > len(text):
        return False
    for i in range(length):  # noqa: SIM110 - Numba knows no generators in all()
        if text[p + i] != wanted[i]:
            return False
    return True


@leaf
def _string(text: Any, p: Any, rule: Any, packed: Any) -> Any:
    """(end, status); FAILED at the end of the line, or of the file, where there was no closing quote."""
    all_flags, lengths, closes = packed[4], packed[5], packed[7]
    flags, length, close = all_flags[rule], np.int64(lengths[rule, 1]), closes[rule]
    n = len(text)
    escape = 0x5C if flags & _ESCAPES else 0x60 if flags & _GRAVE else 0x100
    multi = flags & _MULTI > 0
    code = flags & _CODE > 0
    first = close[0]
    while 0 <= p < n:
        c = text[p]
        if c == first and _matches(text, p, close, length):
            if flags & _DOUBLED and _matches(text, p + length, close, length):
                p += 2 * length
                continue
            # The last three of four quotes close """a"""".
            while length == 3 and p + 3 < n and text[p + 3] == first and close[1] == first:
                p += 1
            return p + length, CLOSED
        if code:
            inside = _code(text, p, flags)
            if inside > 0:
                return inside, INTERPOLATED
        if c == escape:
            if p + 2 < n and text[p + 1] == 0x0D:
                p += 1
            p += 2
            continue
        if flags & _BRACE and c == 0x7B:
            p += 1  # doubled
        if c == 0x0A and not multi:
            return p, FAILED
        p += 1
    return n, FAILED


@leaf
def _code(text: Any, p: Any, flags: Any) -> Any:
    """The position after the bytes that begin code in a string, or 0."""
    if p + 1 >= len(text):
        return 0
    c, d = text[p], text[p + 1]
    if c == 0x24 and ((d == 0x7B and flags & _DOLLAR) or (d == 0x28 and flags & _PAREN)):
        return p + 2
    if c == 0x23 and d == 0x7B and flags & _HASH:
        return p + 2
    if c == 0x5C and d == 0x28 and flags & _BACKSLASH:
        return p + 2
    if c == 0x7B and d != 0x7B and flags & _BRACE:
        return p + 1
    return 0


@leaf
def _block(text: Any, p: Any, rule: Any, packed: Any) -> Any:
    """The end of a comment or of what is skipped; that of the file if nothing closes it."""
    all_flags, lengths, opens, closes = packed[4], packed[5], packed[6], packed[7]
    flags = all_flags[rule]
    length = np.int64(lengths[rule, 1])
    opening = min(np.int64(lengths[rule, 0]), length)  # within /** nests /*
    nests = flags & _NESTS > 0
    depth = 1
    n = len(text)
    first, again = closes[rule, 0], opens[rule, 0]
    while 0 <= p < n:
        c = text[p]
        if c == first and _matches(text, p, closes[rule], length):
            if not flags & _FIRST_ON_LINE or _first_on_line(text, p):
                depth -= 1
                if depth == 0:
                    return p + length
            p += length
        elif nests and c == again and _matches(text, p, opens[rule], opening):
            depth += 1
            p += opening
        else:
            p += 1
    return n


@leaf
def _first_on_line(text: Any, p: Any) -> Any:
    while p > 0 and (text[p - 1] == 0x20 or text[p - 1] == 0x09):
        p -= 1
    return p == 0 or text[p - 1] == 0x0A


@leaf
def _character(text: Any, p: Any, quote: Any) -> Any:
    """The end of 'x', '\\n', '\\u{1F600}' whose content begins at p, or -1."""
    n = len(text)
    if p >= n or text[p] == 0x0A or text[p] == quote:
        return -1
    if text[p] == 0x5C:
        for q in range(p + 2, min(p + 14, n)):
            if text[q] == quote:
                return q + 1
            if text[q] == 0x0A:
                return -1
        return -1
    p += 1
    while p < n and (text[p] & 0xC0) == 0x80:
        p += 1
    return p + 1 if p < n and text[p] == quote else -1


@leaf
def _regex(text: Any, p: Any, budget: Any) -> Any:
    """To the slash that no class holds, and the letters after it."""
    start = p
    last = min(p + REGEX_MOST, len(text))
    in_class = False
    while p < last and budget > 0:
        c = text[p]
        if c == 0x0A:
            break
        if c == 0x5C:
            p += 2
            continue
        if c == 0x5B:
            in_class = True
        elif c == 0x5D:
            in_class = False
        elif c == 0x2F and not in_class:
            p += 1
            while p < last and 0x61 <= text[p] <= 0x7A:
                p += 1
            return p, CLOSED, budget
        p += 1
    return p, FAILED, budget - (p - start)


@leaf
def _marked(text: Any, p: Any, two: Any, budget: Any) -> Any:
    """The end of a quote whose mark stands at p."""
    start = p
    last = min(p + MARKED_MOST, len(text))
    if budget <= 0:
        return p, FAILED, budget
    opener = text[p]
    closer = _pair(opener)
    p = _part(text, p + 1, last, opener, closer)
    if two and p >= 0:
        if opener != closer:
            while p < last and (text[p] == 0x20 or text[p] == 0x09 or text[p] == 0x0A):
                p += 1
            if p < last:
                opener = text[p]
                closer = _pair(opener)
                p += 1
        p = _part(text, p, last, opener, closer)
    if p < 0:
        return last, FAILED, budget - (last - start)
    while p < last and 0x61 <= text[p] <= 0x7A and two:
        p += 1
    return p, CLOSED, budget


@leaf
def _pair(opener: Any) -> Any:
    if opener == 0x28:
        return 0x29
    if opener == 0x5B or opener == 0x7B:
        return opener + 2
    return 0x3E if opener == 0x3C else opener


@leaf
def _part(text: Any, p: Any, last: Any, opener: Any, closer: Any) -> Any:
    depth = 1
    while p < last:
        c = text[p]
        if c == 0x5C:
            p += 2
            continue
        if c == closer:
            depth -= 1
            if depth == 0:
                return p + 1
        elif c == opener:
            depth += 1
        p += 1
    return -1


@leaf
def _pod(text: Any, p: Any) -> Any:
    """The end of the line that begins with =cut."""
    n = len(text)
    while 0 <= p < n and not (text[p] == 0x0A and _matches(text, p + 1, _CUT, 4)):
        p += 1
    return line_end(text, min(p + 5, n))


@leaf
def _long(text: Any, inside: Any) -> Any:
    """(end, how many = stand between the brackets)."""
    n = len(text)
    equals = 0
    while text[inside - 2 - equals] == 0x3D:
        equals += 1
    p = inside
    while 0 <= p < n:
        if text[p] == 0x5D:
            q = p + 1
            while q < n and q - p - 1 < equals and text[q] == 0x3D:
                q += 1
            if q < n and q - p - 1 == equals and text[q] == 0x5D:
                return q + 1, equals
            p = q
        else:
            p += 1
    return n, equals


@leaf
def _raw(text: Any, inside: Any) -> Any:
    """The end of R"mark( … )mark"; the mark lies before inside - 1."""
    n = len(text)
    start = inside - 1
    while text[start - 1] != 0x22:
        start -= 1
    mark = inside - 1 - start
    q = inside
    while q < n:
        closes = text[q] == 0x29 and q + mark + 1 < n and text[q + mark + 1] == 0x22
        if closes and _matches(text, q + 1, text[start : inside - 1], mark):
            return q + mark + 2
        q += 1
    return n


@leaf
def _hashes(text: Any, p: Any, inside: Any) -> Any:
    n = len(text)
    hashes = 0
    while text[inside - 2 - hashes] == 0x23 and inside - 2 - hashes >= p:
        hashes += 1
    q = inside
    while q < n:
        if text[q] == 0x22:
            after = q + 1
            while after < n and after - q - 1 < hashes and text[after] == 0x23:
                after += 1
            if after - q - 1 == hashes:
                return after
            q = after
        else:
            q += 1
    return n


@leaf
def heredoc_end(text: Any, p: Any, start: Any, stop: Any, indented: Any) -> Any:
    """The end of the line that holds the word text[start:stop] alone or before a sign, of lines from p; or -1."""
    n = len(text)
    while 0 <= p < n:
        q = p
        while indented and q < n and (text[q] == 0x20 or text[q] == 0x09):
            q += 1
        if _matches(text, q, text[start:stop], stop - start):
            q += stop - start
            if q >= n or not _word(text[q]):
                return q
        p = line_end(text, p) + 1
    return -1


@leaf
def _word(c: Any) -> Any:
    return 0x30 <= c <= 0x39 or 0x41 <= c <= 0x5A or 0x61 <= c <= 0x7A or c == 0x5F or c >= 0x80
