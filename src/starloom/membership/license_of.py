"""The licence of a file that has matching code: what it is called, and which kinds of licence it is of.

Kinds are those that a gate asks for. An expression is of a kind when nothing else can be chosen: `MIT OR GPL-2.0-only`
is not copyleft, `MIT AND GPL-2.0-only` is. Weak copyleft (LGPL, MPL, EPL) is copyleft.
"""

import functools
import re
from collections.abc import Callable, Sequence
from fnmatch import translate
from typing import Final

from starloom.errors import UserError
from starloom.licenses import categories
from starloom.licenses.expressions import Choice, License, Node, parse
from starloom.membership.matches import Licensed
from starloom.the_stack.origins import Origin

KINDS: Final = {
    "copyleft": "the licence asks that what is made of the code is under the same one",
    "non_permissive": "a licence that is not permissive, copyleft among them",
    "unlicensed": "no licence that was found: nobody gave a permission",
    "any": "whatever the licence is",
}
_COPYLEFT: Final = ("Copyleft", "Copyleft Limited")  # of ScanCode's categories
_ENDINGS: Final = ("", "+", "-only", "-or-later", "-[0-9].*")  # of ids that a shorter one stands for
_NEAR: Final = 5  # ids that an error names
_LIKE: Final = 0.65  # how much alike they are, as difflib counts: gplv3 and GPL-3.0 are, bogus and OGTSL are not

Judged = Origin | Licensed  # a file, or all files under one licence
Kind = Callable[[Judged], bool]


def name(file: Origin) -> str:
    """For people, and as a key: the expressions found, else what is known.

    >>> name(Origin("r", "p", "c", None, None, "no_license", (), None, "train", True))
    'no license'
    """
    return ", ".join(file.detected_licenses) or unnamed(file.license_type)


def unnamed(kind: str | None) -> str:
    """Where nothing was detected: none, or one that is unknown, of which the type may be known."""
    if kind == "no_license":
        return "no license"
    return f"unknown, {kind.replace('_', ' ')}" if kind else "unknown"


def kind(asked: str) -> Kind:
    """Whether a file is of the kind `asked`: one of KINDS, or an SPDX id, in which `*` and `?` stand for any letters;
    without its version, or without `-only` or `-or-later`, it stands for all of them (GPL, GPL-3.0).

    Raises UserError for one that is neither.
    """
    match asked.replace("-", "_").lower():
        case "any":
            return lambda _file: True
        case "copyleft":
            return lambda file: any(map(_is_copyleft, _expressions(file)))
        case "non_permissive":
            return lambda file: file.license_type == "non_permissive"
        case "unlicensed":
            return lambda file: file.license_type in (None, "no_license")
    low = asked.lower()
    meant = re.compile("|".join(translate(low + ending) for ending in _ENDINGS))
    if not any(meant.fullmatch(one.lower()) for one in categories.ids()):
        raise UserError(f"no licence is called {asked}", f"one of {', '.join(KINDS)}, or an SPDX id{_like(asked)}")
    return lambda file: any(_is(one, lambda spdx: bool(meant.fullmatch(spdx.lower()))) for one in _expressions(file))


def worst(licenses: list[Licensed]) -> str:
    """The kind of the licence that allows least: copyleft, non_permissive, unlicensed, permissive."""
    order = ("copyleft", "non_permissive", "unlicensed")
    return next((one for one in order if any(map(kind(one), licenses))), "permissive")


def _expressions(judged: Judged) -> Sequence[str]:
    if isinstance(judged, Licensed):
        return () if judged.name == unnamed(judged.license_type) else judged.name.split(", ")
    return judged.detected_licenses


def _like(asked: str) -> str:
    import difflib

    ids = {one.lower(): one for one in categories.ids()}
    start = [one for low, one in ids.items() if low.startswith(asked.lower())]
    near = start or [ids[low] for low in difflib.get_close_matches(asked.lower(), ids, _NEAR, _LIKE)]
    return f": {', '.join(near[:_NEAR])} …" if near else ", such as GPL-3.0-only or 'AGPL-*'"


@functools.lru_cache(maxsize=4096)
def _is_copyleft(expression: str) -> bool:
    return _is(expression, _copyleft_id)


def _copyleft_id(spdx: str) -> bool:
    found = categories.entry(spdx) or categories.entry(spdx.removesuffix("+"))
    return bool(found and found.category in _COPYLEFT)


def _is(expression: str, of: Callable[[str], bool]) -> bool:
    node = parse(expression)
    return node is not None and _node_is(node, of)


def _node_is(node: Node, of: Callable[[str], bool]) -> bool:
    if isinstance(node, License):
        return of(node.id)
    parts = [_node_is(part, of) for part in node.parts]
    return all(parts) if isinstance(node, Choice) else any(parts)
