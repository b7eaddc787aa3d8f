"""The visible text of HTML: what a browser's tokenizer calls text, without scripts, styles, templates and comments.

These are the tokenizer's states of the HTML Standard (https://html.spec.whatwg.org/multipage/parsing.html#tokenization)
without the tree: a tree costs the square of the file where tags are left open (24 KB of `<p><b a=1><p><b a=2>…` made
734 MB in Lexbor, and 200 KB of `<div>` 2.5 s; measured, 2026), and hardly any text depends on it. Every byte is looked
at once or twice. Each tag but those within a line of text gives one space, so that `<td>a<td>b` is two words.

What a style sheet or the attribute `hidden` hides counts as visible; `<plaintext>` is a tag like any. Character
references stay as they are written. Cost: about 270 MB/s on documentation, one core.
"""

from typing import Any

import numpy as np

from starloom.kernels.cache import kernel
from starloom.kernels.counting import is_letter
from starloom.kernels.text import Int64s, UInt8s, checked


def _packed(name: str) -> int:
    return int.from_bytes(name.encode(), "little")


def _table(names: str) -> Any:
    return np.array(sorted(map(_packed, names.split())), dtype=np.uint64)


# A name is the number that its bytes make; one of more than eight bytes is 0, and means nothing here.
_INLINE = _table(
    "a abbr acronym b bdi bdo big blink cite code data del dfn em font i ins kbd label mark nobr q s samp "
    "small span strike strong sub sup time tt u var wbr"
)
_HIDDEN = _table("xmp iframe noembed noframes noscript")  # raw text that is no text of the page
_SHOWN = _table("title textarea")  # tags are text in them
_FOREIGN = _table("svg math")
_SCRIPT, _STYLE, _TEMPLATE = (np.uint64(_packed(one)) for one in ("script", "style", "template"))

_SPACE, _SLASH, _LESS, _MORE, _EQUALS = 0x20, 0x2F, 0x3C, 0x3E, 0x3D


def visible_bytes(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt8s]:
    """(offsets, data) of the visible text of every file: slices of it in order, and spaces for tags. At most as long as
    the files. Memory: one byte a byte."""
    offsets, data = checked(offsets, data)
    bounds = np.zeros(len(offsets), dtype=np.int64)
    shown = np.empty(int(offsets[-1] - offsets[0]), dtype=np.uint8)
    _visible(offsets, data, bounds, shown, _INLINE, _HIDDEN, _SHOWN, _FOREIGN)
    return bounds, shown[: bounds[-1]]


@kernel
def _visible(
    offsets: Any, data: Any, bounds: Any, shown: Any, inline: Any, hidden: Any, texts: Any, foreigners: Any
) -> None:
    filled = 0
    for i in range(len(offsets) - 1):
        text = data[offsets[i] : offsets[i + 1]]
        size = len(text)
        p = 0
        templates = 0  # open ones
        foreign = 0  # open <svg> and <math>: there a tag may close itself, and CDATA is text
        while p < size:
            if text[p] != _LESS or p + 1 == size:
                if templates == 0:
                    shown[filled] = text[p]
                    filled += 1
                p += 1
                continue
            after = text[p + 1]
            if is_letter(after):
                name, p = _tag_name(text, p + 1)
                p, closed, itself = _attributes(text, p)
                if not closed:  # the file ends within the tag, which is no text
                    break
                if templates == 0 and not _among(name, inline):
                    shown[filled] = _SPACE
                    filled += 1
                if itself and foreign:
                    continue
                if _among(name, foreigners):
                    foreign += 1
                elif name == _TEMPLATE:
                    templates += 1
                elif name == _SCRIPT:
                    p = _script_end(text, p)
                elif name == _STYLE or (foreign == 0 and _among(name, hidden)):
                    p = _raw_end(text, p, name)
                elif foreign == 0 and _among(name, texts):
                    p, filled = _copied(text, p, _raw_end(text, p, name), shown, filled, templates)
            elif after == _SLASH:
                if p + 2 == size:
                    p, filled = _copied(text, p, size, shown, filled, templates)
                elif is_letter(text[p + 2]):
                    name, p = _tag_name(text, p + 2)
                    p, closed, _ = _attributes(text, p)
                    if not closed:
                        break
                    if templates == 0 and not _among(name, inline):
                        shown[filled] = _SPACE
                        filled += 1
                    if name == _TEMPLATE and templates:
                        templates -= 1
                    elif _among(name, foreigners) and foreign:
                        foreign -= 1
                else:
                    p = _after_more(text, p + 2)
            elif after == 0x21:  # !
                if p + 3 < size and text[p + 2] == 0x2D and text[p + 3] == 0x2D:
                    p = _comment_end(text, p + 4)
                elif foreign and _is_cdata(text, p):
                    p, filled = _copied(text, p + 9, _cdata_end(text, p + 9), shown, filled, templates)
                    p = min(p + 3, size)
                else:
                    p = _after_more(text, p + 2)
            elif after == 0x3F:  # ?
                p = _after_more(text, p + 1)
            else:
                p, filled = _copied(text, p, p + 1, shown, filled, templates)
        bounds[i + 1] = filled


@kernel
def _copied(text: Any, begin: int, end: int, shown: Any, filled: int, templates: int) -> Any:
    """(end, filled) after text[begin:end] is shown, or passed over within a template."""
    if templates == 0:
        shown[filled : filled + end - begin] = text[begin:end]
        filled += end - begin
    return end, filled


@kernel
def _is_space(byte: Any) -> Any:
    return byte == 0x20 or byte == 0x0A or byte == 0x09 or byte == 0x0C or byte == 0x0D


@kernel
def _among(name: Any, names: Any) -> bool:
    for one in names:  # noqa: SIM110 - Numba has no any()
        if name == one:
            return True
    return False


@kernel
def _tag_name(text: Any, p: int) -> Any:
    """(the name in lower case as a number, where it ends)."""
    name = np.uint64(0)
    begin = p
    while p < len(text) and text[p] != _SLASH and text[p] != _MORE and not _is_space(text[p]):
        if p - begin < 8:
            byte = text[p] | np.uint8(0x20) if is_letter(text[p]) else text[p]
            if byte == 0:  # else a name and NULs would be the name
                byte = np.uint8(0xFF)
            name |= np.uint64(byte) << np.uint64(8 * (p - begin))
        p += 1
    return (name if p - begin <= 8 else np.uint64(0)), p


@kernel
def _attributes(text: Any, p: int) -> Any:
    """(the place after the tag, whether it has an end, whether it closes itself), from the end of its name."""
    size = len(text)
    state = 0  # 0 before a name, 1 in it, 2 after it, 3 before the value, 6 in a bare one, 7 after a quoted one
    itself = False
    while p < size:
        byte = text[p]
        if byte == _MORE:
            return p + 1, True, itself
        itself = byte == _SLASH and state != 3 and state != 6
        if state == 3:
            if byte == 0x22 or byte == 0x27:
                p += 1
                while p < size and text[p] != byte:
                    p += 1
                state = 7
            elif not _is_space(byte):
                state = 6
        elif state == 6:
            if _is_space(byte):
                state = 0
        elif byte == _SLASH:
            state = 0
        elif _is_space(byte):
            state = 2 if state == 1 or state == 2 else 0
        elif byte == _EQUALS and (state == 1 or state == 2):
            state = 3
        else:
            state = 1
        p += 1
    return size, False, False


@kernel
def _after_more(text: Any, p: int) -> int:
    """Behind the next `>`, else the end."""
    while p < len(text) and text[p] != _MORE:
        p += 1
    return min(p + 1, len(text))


@kernel
def _comment_end(text: Any, p: int) -> int:
    """Behind the comment whose `<!--` ends before p: `-->`, `--!>`, or at once `>` or `->`."""
    size = len(text)
    if p < size and text[p] == _MORE:
        return p + 1
    if p + 1 < size and text[p] == 0x2D and text[p + 1] == _MORE:
        return p + 2
    while p + 2 < size:
        if text[p] == 0x2D and text[p + 1] == 0x2D:
            if text[p + 2] == _MORE:
                return p + 3
            if text[p + 2] == 0x21 and p + 3 < size and text[p + 3] == _MORE:
                return p + 4
        p += 1
    return size


@kernel
def _is_cdata(text: Any, p: int) -> bool:
    """Whether `<![CDATA[` stands at p."""
    word = (0x3C, 0x21, 0x5B, 0x43, 0x44, 0x41, 0x54, 0x41, 0x5B)
    if p + len(word) > len(text):
        return False
    for k in range(len(word)):  # noqa: SIM110
        if text[p + k] != word[k]:
            return False
    return True


@kernel
def _cdata_end(text: Any, p: int) -> int:
    """Where the next `]]>` is, else the end."""
    while p + 2 < len(text):
        if text[p] == 0x5D and text[p + 1] == 0x5D and text[p + 2] == _MORE:
            return p
        p += 1
    return len(text)


@kernel
def _is_end_tag(text: Any, p: int, name: Any) -> Any:
    """Whether the end tag of `name` stands at p, where a `<` is."""
    if p + 2 >= len(text) or text[p + 1] != _SLASH or not is_letter(text[p + 2]):
        return False
    return _is_named(text, p + 2, name)


@kernel
def _is_named(text: Any, p: int, name: Any) -> Any:
    """Whether `name`, then white space, `/` or `>` stands at p. Looks at ten bytes at most."""
    word = text[p : p + 10]
    found, end = _tag_name(word, 0)
    return found == name and end < len(word)


@kernel
def _raw_end(text: Any, p: int, name: Any) -> int:
    """Where the end tag of `name` begins, else the end."""
    while p < len(text):
        if text[p] == _LESS and _is_end_tag(text, p, name):
            return p
        p += 1
    return p


@kernel
def _script_end(text: Any, p: int) -> int:
    """Where the end tag of the script begins; within `<!--` … `-->` another may stand, whose end tag is not it."""
    size = len(text)
    escaped = 0  # 1 within <!--, 2 within a <script> in there
    while p < size:
        byte = text[p]
        if byte == 0x2D:
            if escaped and p + 2 < size and text[p + 1] == 0x2D and text[p + 2] == _MORE:
                escaped = 0
        elif byte == _LESS:
            if escaped == 0 and p + 3 < size and text[p + 1] == 0x21 and text[p + 2] == 0x2D and text[p + 3] == 0x2D:
                escaped = 1
                p += 1  # its own dashes may be those of the end: <!-->
            elif _is_end_tag(text, p, _SCRIPT):
                if escaped < 2:
                    return p
                escaped = 1
            elif escaped == 1 and p + 1 < size and is_letter(text[p + 1]) and _is_named(text, p + 1, _SCRIPT):
                escaped = 2
        p += 1
    return size
