"""One pass over a text: where its comments and strings are, and its identifiers, by the rules of one language.

A lexer for counting, not for compiling: it knows what opens and closes, and as much of a language as keeps it from
taking one for the other. What it does not find closed it takes for something else (a quote alone on its line, a slash
that divides, a shift that is no here-document), as long as the bytes looked at in vain are fewer than four times the
file: so the cost is linear on any input, and a broken file is read to its end. Cost: see lexical.py.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel, leaf
from starloom.kernels.code_points import WORD
from starloom.kernels.decoding import code_point
from starloom.kernels.lexical_closing import FAILED, INTERPOLATED, closing, heredoc_end, resumed
from starloom.kernels.lexical_opening import opens
from starloom.kernels.lexical_rules import (
    BEFORE_VALUE,
    BITS,
    COMMENT,
    DECLARES,
    DIGIT,
    FIRST,
    HIGH,
    INNER,
    KEYWORD,
    LETTER,
    LONGEST_WORD,
    OPENS,
    SECOND,
    SKIPPED,
    SLOTS,
    SPACE,
    STRING,
)
from starloom.kernels.lexical_spans import finish, take

IDENTIFIERS, IDENTIFIER_CHARACTERS, DOCUMENTED = 0, 1, 2  # of the counts; lexical_spans has the others
LEVELS, PENDING = 16, 8  # code in strings in code …; here-documents that begin on one line

_WORD, _MULTI, _NO_SHARED = np.uint32(WORD), BITS["m"], np.uint64(0)
_DOCUMENTATION, _NEXT_TOO, _HERE, _REST = BITS["D"], BITS["k"], BITS["H"] | BITS["h"], BITS["Z"]
_8, _56 = np.uint64(8), np.uint64(56)
_SPANNING = BITS["L"] | BITS["X"] | BITS["U"] | BITS["Q"] | BITS["2"] | BITS["P"]


@kernel
def walk(text: Any, language: Any, packed: Any, words: Any, table: Any, counts: Any, spans: Any) -> Any:
    """Adds to `counts` (see lexical_spans) and writes as many `spans` (start, end, kind) as they have room for.
    Returns how many there are."""
    all_classes, all_firsts, all_traits, kinds, flags, lengths, _opens, _closes = packed
    classes, firsts, traits = all_classes[language], all_firsts[language], all_traits[language]
    words, word_kinds = words
    is_text, docstrings, lisp, above_too, separators = (
        traits[0] > 0,
        traits[1] > 0,
        traits[2] > 0,
        traits[3] > 0,
        traits[4] > 0,
    )
    n = len(text)
    budget = np.int64(4 * n + 65536)  # of bytes looked at in vain
    found: Any = np.int64(0)
    run = np.zeros(4, np.int64)  # see lexical_spans.take
    p: Any = np.int64(3 if n >= 3 and text[0] == 0xEF and text[1] == 0xBB and text[2] == 0xBF else 0)
    if traits[5]:
        p, _, budget = closing(text, p, p, np.int64(firsts[0]) + np.int64(traits[5]) - 1, packed, budget)
    line = p
    # Of one type from the first pass on, which spares compiling what they are given to twice.
    blank: Any = np.bool_(True)
    value: Any = np.bool_(True)  # one may begin here
    named: Any = np.bool_(False)  # nothing but white space since a name
    joined = False  # the line goes on the one before
    code_here: Any = False  # of this line
    comment_here: Any = False
    above: Any = False  # of the lines before: a comment
    define = lisp and _defines(text, p)  # a line (def … was there and no string yet
    word_start, word_end, word_blank, word_counted = -1, -1, False, 0
    depth = 0
    level = 0
    stack = np.zeros((LEVELS, 3), np.int64)  # rule, open brackets within, its closing bracket
    pending = 0
    here = np.zeros((PENDING, 3), np.int64)  # where the word begins and ends, whether it may be indented
    while 0 <= p < n:
        c = text[p]
        k = classes[c]
        if k == SPACE:
            p += 1
            while p < n and text[p] == 0x20:
                p += 1
            continue
        if k & OPENS:
            rule: Any = np.int64(-1)
            end, status = p, FAILED
            for r in range(np.int64(firsts[c]), np.int64(firsts[np.int64(c) + 1])):
                inside = opens(text, p, line, blank, value, named, r, packed, classes)
                if inside < 0:
                    continue
                if flags[r] & _HERE:
                    rule, end = np.int64(r), inside
                    break
                end, status, budget = closing(text, p, inside, r, packed, budget)
                if status != FAILED:
                    rule = np.int64(r)
                    break
            if rule >= 0:
                named = np.bool_(False)
            if rule >= 0 and flags[rule] & _HERE:
                if pending < PENDING:
                    here[pending, 0], here[pending, 1], here[pending, 2] = _here_word(text, p, end)
                    pending += 1
                p = end
                blank, value, code_here = False, False, True
                continue
            if rule >= 0:
                kind = np.int64(kinds[rule])
                start = p
                if kind == STRING:
                    short = word_end == p and p - word_start <= 2
                    if short and word_counted:  # a prefix, as in r"…"
                        counts[IDENTIFIERS] -= 1
                        counts[IDENTIFIER_CHARACTERS] -= word_counted
                        word_counted = 0
                    first = blank or (short and word_blank)
                    statement = docstrings and depth == 0 and level == 0 and not joined and status != INTERPOLATED
                    if statement and first and _ends_line(text, end):
                        kind = np.int64(COMMENT)
                        start = word_start if short else p
                        counts[DOCUMENTED] = 1
                    elif lisp and define and blank:
                        kind = np.int64(COMMENT)
                        counts[DOCUMENTED] = 1
                    define = False
                    if kind == STRING:
                        value = False
                    blank, code_here = False, code_here or kind == STRING
                elif kind == COMMENT:
                    if flags[rule] & _DOCUMENTATION:
                        counts[DOCUMENTED] = 1
                    comment_here = comment_here or blank
                else:
                    value, blank, code_here = False, False, True
                if kind != SKIPPED:
                    found = _span(text, start, end, kind, is_text, table, counts, run, spans, found)
                if status == INTERPOLATED:
                    if level < LEVELS:
                        stack[level, 0], stack[level, 1], stack[level, 2] = rule, 0, _closer(text[end - 1])
                        level += 1
                    value = True
                over = lengths[rule, 1] > 0 or flags[rule] & _SPANNING > 0
                newline = _last_newline(text, p, end) if over else -1
                if newline >= 0:
                    line, blank, above = newline + 1, blank or kind == COMMENT, False
                    comment_here = kind == COMMENT
                    if kind == SKIPPED:
                        value = True
                p = end
                if flags[rule] & _NEXT_TOO and p < n and text[p] != 0x0A:
                    p = _after(text, p)
                if flags[rule] & _REST:
                    p = _next_pod(text, p)
                    line, blank = p, True
                continue
        if k & LETTER or k & HIGH:
            q = p
            characters = 0
            high, low, foreign = np.uint64(0), np.uint64(0), False  # its last 16 bytes; whether one is beyond ASCII
            while 0 <= q < n:
                b = text[q]
                if classes[b] & (LETTER | DIGIT | INNER):
                    high = high << _8 | low >> _56
                    low = low << _8 | np.uint64(b)
                    q += 1
                elif b >= 0x80:
                    point, after = code_point(text, q, n)
                    if not table[point] & _WORD:
                        break
                    foreign = True
                    q = after
                else:
                    break
                characters += 1
            if characters == 0:  # a symbol that is not ASCII
                _, p = code_point(text, p, n)
                blank, value, named, code_here = False, True, False, True
                continue
            what = np.int64(0) if foreign or q - p > LONGEST_WORD else _word_kind(high, low, words, word_kinds)
            word_start, word_end, word_blank, word_counted = p, q, blank, 0
            if not what & KEYWORD and not is_text:
                word_counted = characters
                counts[IDENTIFIERS] += 1
                counts[IDENTIFIER_CHARACTERS] += characters
            if above and above_too and what & DECLARES:
                counts[DOCUMENTED] = 1
            blank, code_here, value, named = False, True, what & BEFORE_VALUE > 0, True
            p = q
        elif k & DIGIT:
            p += 1
            while p < n and (classes[text[p]] & (LETTER | DIGIT) or (separators and _separator(text, p))):
                p += 1
            blank, value, named, code_here = False, False, False, True
        elif c == 0x0A:
            p += 1
            named = np.bool_(False)
            joined = _backslash_before(text, p - 1)
            if code_here or not comment_here:
                above = False
            if comment_here and not code_here:
                above = True
            code_here = comment_here = False
            while level and not flags[stack[level - 1, 0]] & _MULTI:
                level -= 1
            for i in range(pending):
                if budget < n - p:
                    break
                end = heredoc_end(text, p, here[i, 0], here[i, 1], here[i, 2])
                if end < 0:
                    budget -= n - p
                    continue
                found = _span(text, p, end, np.int64(STRING), is_text, table, counts, run, spans, found)
                p = end
            pending = 0
            line = p
            blank, value = True, not joined
            if lisp and p < n and text[p] == 0x28:
                define = _defines(text, p)
        elif k & SPACE:
            p += 1
        else:
            p += 1
            if c == 0x28 or c == 0x5B or c == 0x7B:
                depth += 1
            elif c == 0x29 or c == 0x5D or c == 0x7D:
                depth = max(depth - 1, 0)
            value = c != 0x29 and c != 0x5D
            blank, named, code_here = False, False, True
            if level:
                top = stack[level - 1]
                if c != top[2]:
                    top[1] += c == _opener(top[2])
                elif top[1] > 0:
                    top[1] -= 1
                else:  # the string goes on
                    level -= 1
                    rule = top[0]
                    end, status, budget = resumed(text, p, rule, packed, budget)
                    found = _span(text, p - 1, end, np.int64(STRING), is_text, table, counts, run, spans, found)
                    value = False
                    if status == INTERPOLATED:
                        stack[level, 0], stack[level, 1], stack[level, 2] = rule, 0, _closer(text[end - 1])
                        level += 1
                        value = True
                    newline = _last_newline(text, p, end)
                    if newline >= 0:
                        line = newline + 1
                    p = end
    finish(counts, run)
    return found


@leaf
def _word_kind(high: Any, low: Any, words: Any, kinds: Any) -> Any:
    """KEYWORD, DECLARES, BEFORE_VALUE of a word of LONGEST_WORD bytes at most; 0: none of them."""
    slot = np.int64((high * FIRST ^ low * SECOND) >> np.uint64(40) & np.uint64(SLOTS - 1))
    while words[slot, 0] | words[slot, 1]:
        if words[slot, 0] == high and words[slot, 1] == low:
            return np.int64(kinds[slot])
        slot = (slot + 1) % SLOTS
    return np.int64(0)


@leaf
def _span(
    text: Any, start: Any, end: Any, kind: Any, is_text: Any, table: Any, counts: Any, run: Any, spans: Any, found: Any
) -> Any:
    """Counts one comment or string, and writes it down if there is room."""
    if found < len(spans):
        spans[found, 0], spans[found, 1], spans[found, 2] = start, end, kind
    take(text, start, end, kind, not is_text, table, counts, run)
    return found + 1


@leaf
def _defines(text: Any, p: Any) -> Any:
    """Whether (def comes."""
    return (
        p + 4 <= len(text) and text[p] == 0x28 and text[p + 1] == 0x64 and text[p + 2] == 0x65 and text[p + 3] == 0x66
    )


@leaf
def _closer(opener: Any) -> Any:
    return 0x29 if opener == 0x28 else 0x7D


@leaf
def _opener(closer: Any) -> Any:
    return 0x28 if closer == 0x29 else 0x7B


@leaf
def _ends_line(text: Any, p: Any) -> Any:
    """Whether nothing but white space or a comment with # follows on the line."""
    while p < len(text) and (text[p] == 0x20 or text[p] == 0x09 or text[p] == 0x0D or text[p] == 0x3B):
        p += 1
    return p >= len(text) or text[p] == 0x0A or text[p] == 0x23


@leaf
def _last_newline(text: Any, start: Any, end: Any) -> Any:
    for p in range(end - 1, start - 1, -1):
        if text[p] == 0x0A:
            return p
    return -1


@leaf
def _backslash_before(text: Any, p: Any) -> Any:
    if p > 0 and text[p - 1] == 0x0D:
        p -= 1
    return p > 0 and text[p - 1] == 0x5C


@leaf
def _separator(text: Any, p: Any) -> Any:
    """Whether a ' comes and a hexadecimal digit."""
    if text[p] != 0x27 or p + 1 >= len(text):
        return False
    c = text[p + 1]
    return 0x30 <= c <= 0x39 or 0x61 <= c <= 0x66 or 0x41 <= c <= 0x46


@leaf
def _after(text: Any, p: Any) -> Any:
    """The position after the character at p."""
    p += 1
    while p < len(text) and (text[p] & 0xC0) == 0x80:
        p += 1
    return p


@leaf
def _next_pod(text: Any, p: Any) -> Any:
    """The next line that begins with = and a letter, or the end."""
    for q in range(p, len(text) - 2):
        if text[q] == 0x0A and text[q + 1] == 0x3D and 0x61 <= (text[q + 2] | 0x20) <= 0x7A:
            return q + 1
    return len(text)


@leaf
def _here_word(text: Any, p: Any, end: Any) -> Any:
    """(start, end, whether it may be indented) of the word of the here-document that opens at p; `end` is after it."""
    indented = 0
    while text[p] == 0x3C:
        indented += 1
        p += 1
    indented = 1 if indented == 3 else 0  # <<< of PHP
    if text[p] == 0x2D or text[p] == 0x7E:
        indented = 1
        p += 1
    while text[p] == 0x20 or text[p] == 0x09:
        p += 1
    if text[p] == 0x27 or text[p] == 0x22 or text[p] == 0x60:
        return p + 1, end - 1, indented
    if text[p] == 0x5C:
        p += 1
    return p, end, indented
