"""pom.xml (Maven): the names, else the addresses, of the project's licences.

Read by expat's events, without a tree; a document type, with which entities could grow without bounds, ends it.
"""

import re
from xml.parsers import expat

from starloom.licenses.statements.naming import by_url, several, stated
from starloom.licenses.statements.statement import Statement, folder, line_of
from starloom.licenses.verdict import NO_ASSERTION

_MAX_LICENSES = 100
_LICENSES = re.compile(r"<licenses\b")


class _DoctypeError(Exception):
    pass


def pom(text: str) -> tuple[Statement, ...]:
    """Maven lets the user choose among several; that is believed only of permissive ones, as many mean "and"."""
    start = _LICENSES.search(text)
    if start is None:
        return ()
    line = line_of(text, start.start())
    path: list[str] = []
    licenses: list[dict[str, str]] = []
    depth = 0  # how much of project/licenses/license/name the path is

    wanted = ("project", "licenses", "license")

    def begin(name: str, _attributes: dict[str, str]) -> None:
        nonlocal depth
        if depth == len(path) < 4 and (depth == 3 or name.rpartition(":")[2] == wanted[depth]):
            depth += 1
            if depth == 3 and len(licenses) < _MAX_LICENSES:
                licenses.append({})
        path.append(name.rpartition(":")[2])

    def end(_name: str) -> None:
        nonlocal depth
        path.pop()
        depth = min(depth, len(path))

    def data(characters: str) -> None:
        if depth == len(path) == 4 and licenses:
            key = path[3]
            licenses[-1][key] = (licenses[-1].get(key, "") + characters)[:1_000]

    def doctype(*_: object) -> None:
        raise _DoctypeError

    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = begin, end, data
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(text.removeprefix("\ufeff").encode("utf-8", "replace"), True)
    except (expat.ExpatError, _DoctypeError):
        return folder(NO_ASSERTION, line, "pom.xml, malformed")
    parts = [_license(one) for one in licenses]
    said = several([part for part in parts if part])
    return folder(said, line, "pom.xml") if said else ()


def _license(fields: dict[str, str]) -> str | None:
    name, url = fields.get("name", "").strip(), fields.get("url", "").strip()
    by_name = stated(name)
    if by_name is None or by_name == NO_ASSERTION:
        return by_url(url) or by_name or (NO_ASSERTION if url else None)
    return by_name
