"""The licence that a Python distribution's metadata declares, as an SPDX expression.

License-Expression is the packager's own SPDX expression and decides alone (PEP 639). Older metadata has
classifiers, which list licences without saying "and" or "or", and the License field, free text or a whole licence.
"""

import functools
import re
from collections.abc import Sequence

from starloom.licenses.categories import canonical, license_class
from starloom.licenses.expressions import join, parse, rename, symbols
from starloom.licenses.names import CLASSIFIERS, named
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import NO_ASSERTION

_PREFIX = "License :: "
_NOTHING = frozenset(("", "unknown", "none", "n/a", "na", "tbd", "todo", "-"))
_MAX_NAME = 200  # characters; a longer License field is a text

# "GPL v2 or later" is one name; "MIT or Apache" are two.
_OR_LATER = re.compile(
    r"\bor\s*(?:\(at your option\)\s*)?(?:any\s*)?(?:later|newer|above|greater)(?:\s+versions?)?", re.I
)
_OR = re.compile(r"\s+or\s+|/|\|+", re.IGNORECASE)
_AND = re.compile(r"\s+and\s+|&|\+\s|,|;|\s\+", re.IGNORECASE)


def declared_expression(expression: str | None, field: str | None, classifiers: Sequence[str]) -> str | None:
    """An SPDX expression with canonical ids; NOASSERTION if a licence is stated that cannot be named; else None.

    Classifiers and field that name the same licences (or variants: classifier "BSD License", field
    "BSD-2-Clause") give the field, which says more; if they differ, both apply. Several classifiers often mean a
    choice, but only among permissive licences does that change nothing: these are joined by OR, others by AND.
    """
    if expression and expression.strip():
        parsed = parse(expression)
        # Ids of its own (LicenseRef-…) stay: they are a statement, only not one of permission.
        if parsed is not None:
            return rename(expression, lambda spdx_id: canonical(spdx_id) or spdx_id)
        return name_expression(expression) or NO_ASSERTION
    by_classifier = _by_classifier(classifiers)
    by_field = _by_field(field)
    if by_classifier is None or by_field is None:
        return by_classifier or by_field
    if NO_ASSERTION in (by_classifier, by_field):
        return by_classifier if by_field == NO_ASSERTION else by_field
    return by_field if _stems(by_field) == _stems(by_classifier) else join([by_classifier, by_field], "AND")


def name_expression(text: str) -> str | None:
    """The expression for a short text: an SPDX expression of known ids, a known name, or several of them.

    >>> name_expression("apache-2.0 OR mit"), name_expression("BSD and Apache 2.0"), name_expression("GPLv2 or later")
    ('Apache-2.0 OR MIT', 'BSD-3-Clause AND Apache-2.0', 'GPL-2.0-or-later')
    """
    text = " ".join(text.split())
    return None if len(text) > _MAX_NAME else _name_expression(text)


@functools.lru_cache(maxsize=4096)  # the files of a project name one licence
def _name_expression(text: str) -> str | None:
    plain = _OR_LATER.sub("+", text)
    if found := named(plain):  # before SPDX's deprecated ids: "GPL" is one
        return found
    ids = symbols(text)
    if ids and all(canonical(spdx_id) for spdx_id in ids):
        return rename(text, lambda spdx_id: canonical(spdx_id) or spdx_id)
    text = plain
    for operator, separator in (("OR", _OR), ("AND", _AND)):
        parts = [part for part in separator.split(text) if part.strip()]
        if len(parts) > 1:
            found_parts = [name_expression(part) for part in parts]
            known = [part for part in found_parts if part is not None]
            return join(known, operator) if len(known) == len(parts) else None
    return None


def _by_classifier(classifiers: Sequence[str]) -> str | None:
    names = [one.strip()[len(_PREFIX) :].strip() for one in classifiers if one.strip().startswith(_PREFIX)]
    if not names:
        return None
    if any(name not in CLASSIFIERS for name in names):
        return NO_ASSERTION
    found = [spdx_id for name in names if (spdx_id := CLASSIFIERS[name])]
    if not found:
        return NO_ASSERTION
    permissive = all(license_class(spdx_id) == "permissive" for spdx_id in found)
    return join(found, "OR" if permissive else "AND")


def _by_field(field: str | None) -> str | None:
    if field is None or field.strip().lower() in _NOTHING:
        return None
    if short := name_expression(field):
        return short
    whole = recognise(field)
    return whole.expression if whole else NO_ASSERTION


def _stems(expression: str) -> set[str]:
    """Ids up to their first dash: BSD of BSD-2-Clause."""
    return {spdx_id.split("-")[0] for spdx_id in symbols(expression)}
