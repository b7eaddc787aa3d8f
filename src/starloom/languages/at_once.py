"""What languages many files are in, and which of them programs wrote: as `detect`, `generated_content` and
`generated_marker` say of each, sooner.

Kernels go through the heads and ends of all texts; a text is looked at alone, or for the form or rule at hand, only
where they have found a sign or word of what is looked for. Texts come with their UTF-8 form,
data[offsets[i]:offsets[i + 1]].
"""

from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from starloom.kernels import heads, seek
from starloom.kernels.text import Bools, Int64s, UInt8s
from starloom.languages import generated, generated_forms, generated_headers, modeline
from starloom.languages.ambiguous import rule
from starloom.languages.detect import Detection, Doubt, settled, told
from starloom.languages.sought import Sought

_MANY = 3  # files of one extension: of fewer, their words are looked for one by one


def languages(file_names: Sequence[str], texts: Sequence[str], offsets: Int64s, data: UInt8s) -> list[Detection | None]:
    """`detect` of each."""
    modes = _may_have_mode(offsets, data).tolist()
    found = [told(*one) for one in zip(file_names, texts, modes, strict=True)]
    words: dict[int, frozenset[str] | None] = {}
    for key, rows in _rows({row: one.key for row, one in enumerate(found) if isinstance(one, Doubt)}).items():
        if len(rows) >= _MANY:
            starts, stops = offsets[rows], offsets[1:][rows]
            ends = heads.first_characters(starts, stops, data, rule.MAX_HEAD + 1)  # a byte order mark is one more
            words.update(zip(rows, _of_rules(key).standing(starts, ends, data), strict=True))
    return [settled(one, words.get(row)) if isinstance(one, Doubt) else one for row, one in enumerate(found)]


def contents(file_names: Sequence[str], texts: Sequence[str], offsets: Int64s, data: UInt8s) -> list[str | None]:
    """`generated_content` of each."""
    found = _forms(file_names, texts, offsets, data)
    for row in np.flatnonzero(_may_have_header(offsets, data)).tolist():
        found[row] = found[row] or generated_headers.generated_header(file_names[row], texts[row])
    return found


def markers(texts: Sequence[str], offsets: Int64s, data: UInt8s) -> list[tuple[str, int] | None]:
    """`generated_marker` of each."""
    found: list[tuple[str, int] | None] = [None] * len(texts)
    starts, stops = offsets[:-1], offsets[1:]
    ends = heads.first_lines(starts, stops, data, generated.MARKED_LINES, generated.MAX_HEAD)
    for row in np.flatnonzero(seek.standing([generated.COMMON.encode()], True, starts, ends, data)).tolist():
        found[row] = generated.generated_marker(texts[row])
    return found


def _rows(keys: Mapping[int, str]) -> dict[str, list[int]]:
    """The rows of each key."""
    found: dict[str, list[int]] = {}
    for row, key in keys.items():
        found.setdefault(key, []).append(row)
    return found


def _any(found: Bools) -> Bools:
    some: Bools = np.any(found, axis=1)
    return some


# --- mode lines, rules -------------------------------------------------------------------------------------------


def _may_have_mode(offsets: Int64s, data: UInt8s) -> Bools:
    starts, stops, signs = offsets[:-1], offsets[1:], [sign.encode() for sign in modeline.SIGNS]
    head = modeline.MAX_HEAD + 1  # a byte order mark is one more
    ends = heads.first_lines(starts, stops, data, modeline.LINES, head)
    last = heads.last_lines(starts, stops, data, modeline.LINES, modeline.MAX_HEAD)
    block = heads.last_characters(starts, stops, data, modeline.MAX_BLOCK)
    found = np.hstack(
        [
            seek.standing(signs, True, starts, ends, data),
            seek.standing(signs, True, last, stops, data),
            seek.standing([modeline.BLOCK_SIGN.encode()], False, block, stops, data),
        ]
    )
    return _any(found)


@cache
def _of_rules(key: str) -> Sought:
    """The words of the rules for an extension or name."""
    return Sought([pattern for one in rule.all_rules().get(key, ()) for pattern in one.patterns])


# --- files that programs write -----------------------------------------------------------------------------------


def _forms(file_names: Sequence[str], texts: Sequence[str], offsets: Int64s, data: UInt8s) -> list[str | None]:
    """`generated_form` of each."""
    found: list[str | None] = [None] * len(texts)
    forms = generated_forms.forms()
    keys = {row: key for row, name in enumerate(file_names) if (key := generated_forms.key(name)) in forms}
    for key, rows in _rows(keys).items():
        starts, stops = offsets[rows], offsets[1:][rows]
        ends = heads.first_characters(starts, stops, data, generated_forms.MAX_HEAD)
        for row, words in zip(rows, _of_forms(key).standing(starts, ends, data), strict=True):
            if possible := forms[key] if words or words is None else _wordless(key):
                found[row] = generated_forms.first_form(possible, texts[row], words)
    return found


@cache
def _of_forms(key: str) -> Sought:
    """The words of the forms for an extension."""
    return Sought([form.head for form in generated_forms.forms()[key] if form.head])


@cache
def _wordless(key: str) -> tuple[generated_forms.Form, ...]:
    """What a text with none of the words may be of."""
    return tuple(form for form in generated_forms.forms()[key] if not (form.head and form.head.needs_words))


def _may_have_header(offsets: Int64s, data: UInt8s) -> Bools:
    starts, stops, signs = offsets[:-1], offsets[1:], [sign.encode() for sign in generated_headers.SIGNS]
    ends = heads.first_lines(starts, stops, data, generated_headers.MAX_LINES, generated_headers.MAX_HEAD)
    return _any(seek.standing(signs, True, starts, ends, data))
