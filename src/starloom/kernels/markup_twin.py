"""`markup.visible_bytes` again in plain Python, by patterns instead of states: what the tests hold the kernel to.

Nothing else calls this. Not linear on every input.
"""

import re

_INLINE = frozenset(
    b"a abbr acronym b bdi bdo big blink cite code data del dfn em font i ins kbd label mark nobr q s samp "
    b"small span strike strong sub sup time tt u var wbr".split()
)
_HIDDEN = frozenset(b"xmp iframe noembed noframes noscript".split())
_SHOWN = frozenset(b"title textarea".split())
_FOREIGN = frozenset(b"svg math".split())

_VALUE = rb"""(?:"[^"]*"|'[^']*'|(?=>)|[^ \t\n\r\f>"'][^ \t\n\r\f>]*)"""
_EQUALS = rb"[ \t\n\r\f]*=[ \t\n\r\f]*"
_ATTRIBUTE = rb"[^ \t\n\r\f/>][^ \t\n\r\f/>=]*+(?:" + _EQUALS + _VALUE + rb"|(?!" + _EQUALS + rb"))"
_TAG = re.compile(rb"<(/?)([A-Za-z][^ \t\n\r\f/>]*+)(?>(?:[ \t\n\r\f]+|/(?!>)|" + _ATTRIBUTE + rb")*)(/?)>")
_COMMENT = re.compile(rb"<!--(?:-?>|.*?--!?>)", re.DOTALL)
_BOGUS = re.compile(rb"<(?:!|\?|/)[^>]*>")  # and document types
_CDATA = re.compile(rb"<!\[CDATA\[(.*?)(?:\]\]>|\Z)", re.DOTALL)
_SCRIPT = re.compile(rb"<!--|-->|<(/?)script(?=[ \t\n\r\f/>])", re.IGNORECASE)


def visible(data: bytes) -> bytes:
    """Twin of `markup.visible_bytes`, for one file."""
    found: list[bytes] = []
    place = templates = foreign = 0
    while place < len(data):
        begin = data.find(b"<", place)
        begin = len(data) if begin < 0 else begin
        found += [] if templates else [data[place:begin]]
        place = begin
        after = data[begin + 1 : begin + 3]
        if re.match(rb"/?[A-Za-z]", after):
            tag = _TAG.match(data, begin)
            if tag is None:
                break
            place = tag.end()
            name = tag[2].lower()
            found += [b" "] if not templates and name not in _INLINE else []
            if tag[1]:
                templates -= name == b"template" and templates > 0
                foreign -= name in _FOREIGN and foreign > 0
            elif not (tag[3] and foreign):
                foreign += name in _FOREIGN
                templates += name == b"template"
                if name == b"script":
                    place = _script_end(data, place)
                elif name == b"style" or (not foreign and name in _HIDDEN | _SHOWN):
                    end = re.compile(rb"</" + name + rb"(?=[ \t\n\r\f/>])", re.IGNORECASE).search(data, place)
                    stop = end.start() if end else len(data)
                    found += [data[place:stop]] if name in _SHOWN and not templates else []
                    place = stop
        elif foreign and (cdata := _CDATA.match(data, begin)):
            place = cdata.end()
            found += [] if templates else [cdata[1]]
        elif data.startswith(b"<!--", begin):
            comment = _COMMENT.match(data, begin)
            place = comment.end() if comment else len(data)
        elif after[:1] in (b"!", b"?") or (after[:1] == b"/" and len(after) == 2):
            bogus = _BOGUS.match(data, begin)
            place = bogus.end() if bogus else len(data)
        else:
            text = data[begin : begin + (2 if after == b"/" else 1)]
            found += [] if templates else [text]
            place = begin + len(text)
    return b"".join(found)


def _script_end(data: bytes, place: int) -> int:
    """Where the end tag of the script begins, whose text begins at `place`."""
    comment = inner = False
    while mark := _SCRIPT.search(data, place):
        if mark[0] == b"<!--":
            place = mark.start() + 2  # its own dashes may be those of the end: <!-->
            comment = True
            continue
        place = mark.end()
        if mark[0] == b"-->":
            comment = inner = False
        elif mark[1] and not inner:
            return mark.start()
        else:
            inner = comment and not mark[1]
    return len(data)
