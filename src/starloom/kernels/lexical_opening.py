"""Whether a rule opens at a place of a text: its bytes, and what its flags ask of what stands around them."""

from typing import Any

import numpy as np

from starloom.kernels.cache import leaf
from starloom.kernels.lexical_rules import BITS, DIGIT, HIGH, INNER, LETTER

_NONE = np.uint64(0)
_LINE_START, _BLANK, _SPACED, _NO_WORD, _NO_VALUE = BITS["0"], BITS["b"], BITS["s"], BITS["w"], BITS["q"]
_WORD_END, _SPACE_AFTER, _OPERATOR, _ANY_CASE = BITS["W"], BITS["a"], BITS["o"], BITS["i"]
_COLUMN, _VALUE, _ARGUMENT = BITS["7"], BITS["v"], BITS["V"]
_HERE, _SHELL_HERE, _LONG, _RAW, _HASHES = BITS["H"], BITS["h"], BITS["L"], BITS["X"], BITS["U"]
_QUOTE, _TWO, _POD, _REST, _REGEX = BITS["Q"], BITS["2"], BITS["P"], BITS["Z"], BITS["R"]
_AROUND = _LINE_START | _BLANK | _SPACED | _NO_WORD | _NO_VALUE | _COLUMN | _VALUE | _ARGUMENT
_BEHIND = _WORD_END | _SPACE_AFTER | _OPERATOR
_FORMS = _HERE | _SHELL_HERE | _LONG | _RAW | _HASHES | _QUOTE | _TWO | _POD | _REST | _REGEX


def _set(characters: str) -> Any:
    table = np.zeros(256, np.bool_)
    table[list(characters.encode())] = True
    return table


_BEFORE = _set(" \t\n\v\f\r;&|(){}<>`,[")
_VALUE_ENDS = _set(")]}'\".")
_WHITE = _set(" \t\n\v\f\r")
_SYMBOLS = _set("!#$%&*+./<=>?@\\^|~:-")
_SIGILS = _set("$@%&*>-.:")
_MARKS = _set("/|!{([<#~\"'@^:+%`$")
HERE_MOST = 100  # bytes of a here-document's word
_MARKS_APART = _set("{([</|'\"!")


@leaf
def opens(
    text: Any, p: Any, line: Any, blank: Any, value: Any, named: Any, rule: Any, packed: Any, classes: Any
) -> Any:
    """The position after what opens at p, or -1. `line`: where the line begins; `blank`: only white space since;
    `value`: a value may begin here; `named`: a name came last."""
    all_flags, lengths, opening = packed[4], packed[5], packed[6]
    flags = all_flags[rule]
    n = len(text)
    inside = p + np.int64(lengths[rule, 0])
    if inside > n:
        return -1
    for i in range(1, lengths[rule, 0]):
        c = text[p + i]
        if c != opening[rule, i] and not (flags & _ANY_CASE and 0x41 <= c <= 0x5A and c + 0x20 == opening[rule, i]):
            return -1
    if flags & _AROUND and not _around(text, p, line, blank, value, named, flags, classes):
        return -1
    if flags & _BEHIND and not _behind(text, p, inside, flags, classes):
        return -1
    return _form(text, p, inside, flags, classes) if flags & _FORMS else inside


@leaf
def _around(text: Any, p: Any, line: Any, blank: Any, value: Any, named: Any, flags: Any, classes: Any) -> Any:
    before = text[p - 1] if p > 0 else np.uint8(0x0A)
    if flags & _LINE_START and p != line:
        return False
    if flags & _BLANK and not blank:
        return False
    if flags & _SPACED and not (p == line or _BEFORE[before]):
        return False
    if flags & (_NO_WORD | _NO_VALUE) and classes[before] & (LETTER | DIGIT | INNER | HIGH) and p != line:
        return False
    if flags & _NO_VALUE and _VALUE_ENDS[before]:
        return False
    if flags & _COLUMN and p - line != 6:
        return False
    if value or not flags & (_VALUE | _ARGUMENT):
        return True
    after = p + 1 < len(text) and not _WHITE[text[p + 1]] and text[p + 1] != 0x3D
    return flags & _ARGUMENT > 0 and named and after and (before == 0x20 or before == 0x09)


@leaf
def _behind(text: Any, p: Any, inside: Any, flags: Any, classes: Any) -> Any:
    after = text[inside] if inside < len(text) else np.uint8(0x0A)
    if flags & _WORD_END and classes[after] & (LETTER | DIGIT | HIGH):
        return False
    if flags & _SPACE_AFTER and not _WHITE[after]:
        return False
    if flags & _OPERATOR:
        if p > 0 and _SYMBOLS[text[p - 1]]:
            return False
        mark = text[p]
        while inside < len(text) and text[inside] == mark:
            inside += 1
        if inside < len(text) and _SYMBOLS[text[inside]]:
            return False
    return True


@leaf
def _form(text: Any, p: Any, inside: Any, flags: Any, classes: Any) -> Any:
    """The position after an opening that has a form of its own, or -1."""
    n = len(text)
    if flags & _REGEX:
        return -1 if inside >= n or text[inside] == 0x2A or text[inside] == 0x2F else inside
    if flags & (_HERE | _SHELL_HERE):
        return _here(text, inside, flags & _SHELL_HERE > 0, classes)
    if flags & _LONG:
        while inside < n and text[inside] == 0x3D:
            inside += 1
        return inside + 1 if inside < n and text[inside] == 0x5B else -1
    if flags & _RAW:
        for q in range(inside, min(inside + 17, n)):
            if text[q] == 0x28:
                return q + 1
            if text[q] <= 0x20 or text[q] == 0x29 or text[q] == 0x5C:
                return -1
        return -1
    if flags & _HASHES:
        while inside < n and text[inside] == 0x23:
            inside += 1
        return inside + 1 if inside < n and text[inside] == 0x22 else -1
    if flags & _POD:
        return inside if inside < n and 0x61 <= (text[inside] | 0x20) <= 0x7A else -1
    if flags & _REST:
        rest = inside
        while rest < n and (text[rest] == 0x0D or text[rest] == 0x20):
            rest += 1
        return inside if rest == n or text[rest] == 0x0A else -1
    # A quote with a mark of one's choice.
    if p > 0 and _SIGILS[text[p - 1]]:
        return -1
    if inside < n and _MARKS[text[inside]]:
        # `s => 1` is caught below; `y{` and `s:` are quotes.
        return inside
    word = classes[text[p]] & LETTER
    apart = inside
    while apart < n and (text[apart] == 0x20 or text[apart] == 0x09):
        apart += 1
    return apart if word and apart > inside and apart < n and _MARKS_APART[text[apart]] else -1


@leaf
def _here(text: Any, p: Any, shell: Any, classes: Any) -> Any:
    """The position after the word of a here-document, or -1. But in a shell a bare word has a capital or _ first, as
    `a <<b` may be a shift; the caller asks later whether a line with the word comes."""
    n = len(text)
    marked = p < n and (text[p] == 0x2D or text[p] == 0x7E)
    if marked:
        p += 1
    while shell and p < n and (text[p] == 0x20 or text[p] == 0x09):
        p += 1
    if p >= n:
        return -1
    quote = text[p]
    if quote == 0x27 or quote == 0x22 or quote == 0x60:
        start = p + 1
        p = start
        while p < n and p < start + HERE_MOST and text[p] != quote and text[p] != 0x0A:
            p += 1
        return p + 1 if p < n and text[p] == quote and p > start else -1
    if quote == 0x5C and shell:
        p += 1
    start = p
    while p < n and p < start + HERE_MOST and classes[text[p]] & (LETTER | DIGIT):
        p += 1
    if p == start or not classes[text[start]] & LETTER or p == start + HERE_MOST:
        return -1
    return -1 if not shell and not marked and text[start] >= 0x61 else p
