"""The class of a licence or expression: permissive, neutral or not, from a table that ships with the package.

Permissive is what arXiv 2402.19173 takes: ScanCode's categories Permissive and Public Domain, and the Blue Oak
Council's list. Where the two disagree (21 licences, such as Artistic-2.0 or Ruby, which ScanCode calls copyleft
or restricted: `conflicts`) ScanCode wins: a file is rather left out than taken wrongly; the paper's own order of
decision takes either list's word. Neutral are the ten notices that the
paper's pipeline lets pass beside any licence. All else is not permissive.

Cost: 5 ms once for the table; then one look-up. Exceptions (the right side of WITH) have no class of their own.
"""

import functools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast

from starloom.licenses.expressions import Choice, License, Node, parse

LicenseClass = Literal["permissive", "neutral", "non_permissive"]

UNKNOWN = "LicenseRef-scancode-unknown"  # a licence, but which
UNKNOWN_REFERENCE = "LicenseRef-scancode-unknown-license-reference"
PROPRIETARY = "LicenseRef-scancode-proprietary-license"
PUBLIC_DOMAIN = "LicenseRef-scancode-public-domain"

# Agreements and notices that neither grant nor withhold a permission (bigcode-project/the-stack-v2).
NEUTRAL = frozenset(
    "LicenseRef-scancode-" + name
    for name in (
        "dco-1.1",
        "generic-cla",
        "google-cla",
        "jetty-ccla-1.1",
        "newton-king-cla",
        "generic-exception",
        "generic-export-compliance",
        "generic-tos",
        "generic-trademark",
        "warranty-disclaimer",
    )
)

_TABLE = Path(__file__).with_name("categories.tsv")
_PERMISSIVE = ("Permissive", "Public Domain")


class Entry(NamedTuple):
    """A row of the table."""

    id: str  # SPDX id in its canonical case, deprecated ones too, or LicenseRef-scancode-…
    license_class: LicenseClass
    category: str  # ScanCode's
    blue_oak: str  # Model, Gold, Silver, Bronze, Lead, or empty: not on the list


@functools.cache
def _table() -> dict[str, Entry]:
    """Rows by id in lower case: SPDX ids are compared without regard to case."""
    rows = (line.split("\t") for line in _TABLE.read_text(encoding="ascii").splitlines() if not line.startswith("#"))
    return {row[0].lower(): Entry(row[0], cast(LicenseClass, row[1]), row[2], row[3]) for row in rows}


def entry(spdx_id: str) -> Entry | None:
    """The row of an id, in any case."""
    return _table().get(spdx_id.lower())


def ids() -> list[str]:
    """Every id of the table."""
    return [one.id for one in _table().values()]


def conflicts() -> list[Entry]:
    """The licences that the Blue Oak Council lists and ScanCode calls neither permissive nor public domain, by id."""
    return sorted(one for one in _table().values() if one.blue_oak and one.license_class == "non_permissive")


def license_class(spdx_id: str, either: bool = False) -> LicenseClass | None:
    """The class of one licence id, in any case; None for an id that is not in the table.

    `either`: as the paper has it, what one of the two lists calls permissive is, whatever the other says.

    >>> license_class("MIT"), license_class("GPL-2.0+"), license_class("LicenseRef-scancode-dco-1.1")
    ('permissive', 'non_permissive', 'neutral')
    """
    found = entry(spdx_id) or entry(spdx_id.removesuffix("+"))  # any later version of a licence is no worse
    if found and either and found.blue_oak:
        return "permissive"
    return found.license_class if found else None


def canonical(spdx_id: str) -> str | None:
    """The id as SPDX or ScanCode writes it, a `+` for later versions kept; None for an unknown one."""
    if found := entry(spdx_id):
        return found.id
    found = entry(spdx_id.removesuffix("+"))
    return f"{found.id}+" if found else None


@functools.lru_cache(maxsize=4096)
def expression_class(expression: str, either: bool = False) -> LicenseClass:
    """OR is as good as its best part, AND as bad as its worst, WITH as its licence; unknown ids are not permissive.

    A neutral part of AND changes nothing: "MIT AND LicenseRef-scancode-dco-1.1" is permissive, as in the paper's
    decision over sets of licences.

    >>> expression_class("GPL-3.0-only OR MIT"), expression_class("GPL-3.0-only AND MIT")
    ('permissive', 'non_permissive')
    """
    node = parse(expression)
    return node_class(node, either) if node else "non_permissive"


def node_class(node: Node, either: bool = False) -> LicenseClass:
    """`expression_class` of a tree."""
    if isinstance(node, License):
        return license_class(node.id, either) or "non_permissive"
    classes = {node_class(part, either) for part in node.parts}
    order: tuple[LicenseClass, ...]
    if isinstance(node, Choice):
        order = ("permissive", "neutral", "non_permissive")
    else:
        order = ("non_permissive", "permissive", "neutral")
    return next(kind for kind in order if kind in classes)


def describe(scancode: Iterable[Mapping[str, Any]], blue_oak: Iterable[Mapping[str, Any]]) -> str:
    """The table's text, from ScanCode's licence index and the Blue Oak Council's list, both as parsed JSON.

    This wrote `categories.tsv` from `scancode-licensedb-index.json` of license-expression 30.4.4 and `index.json`
    of the npm package @blueoak/list 15.0.0.
    """
    ratings = {license["id"]: rating["name"] for rating in blue_oak for license in rating["licenses"]}
    categories: dict[str, str] = {}
    for license in scancode:
        ids: Sequence[str | None] = (license["spdx_license_key"], *license["other_spdx_license_keys"])
        for spdx_id in ids:
            if spdx_id and " " not in spdx_id and (not license["is_exception"] or spdx_id in NEUTRAL):
                categories[spdx_id] = license["category"]
    lines = [
        "# id, class, ScanCode category, Blue Oak rating; made by starloom.licenses.categories.describe",
        "# ids and categories: ScanCode LicenseDB, (c) nexB Inc. and others, CC-BY-4.0, reduced to these columns",
        "# ratings: Blue Oak Council license list, CC0-1.0",
    ]
    for spdx_id in sorted(categories.keys() | ratings.keys()):
        category = categories.get(spdx_id, "")
        if spdx_id in NEUTRAL:
            kind = "neutral"
        elif category in _PERMISSIVE or (not category and spdx_id in ratings):
            kind = "permissive"
        else:
            kind = "non_permissive"
        lines.append(f"{spdx_id}\t{kind}\t{category}\t{ratings.get(spdx_id, '')}")
    return "\n".join(lines) + "\n"
