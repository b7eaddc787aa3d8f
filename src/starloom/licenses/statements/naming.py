"""Expressions for what metadata calls licences: a name, a URL, a list of them.

Unsure is not permissive: a name that cannot be read but has a word of copyleft or of restriction in it is an unknown
licence (never permissive); any other one is NOASSERTION, which a licence file beside it may explain. Lists that do not
say "and" or "or" are a choice only where that changes nothing: among permissive licences.
"""

import re
from collections.abc import Sequence

from starloom.licenses.categories import UNKNOWN, expression_class
from starloom.licenses.expressions import join, parse
from starloom.licenses.metadata import name_expression
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import NO_ASSERTION

_NOTHING = frozenset(("", "unknown", "none", "n/a", "na", "tbd", "todo", "-", "null", "noassertion", "unspecified"))
_MAX_NAME = 300  # characters; a longer value is a text
_GRAVE = re.compile(
    r"gpl|gnu|copyleft|commercial|propriet|restrict|confidential|reserved|mozilla|\bmpl|eclipse|\bepl|\bcc\b|\bcc-|"
    r"creative|\bnc\b|academic|evaluation|education|non-|\bnot?\b|private|internal|\bfee\b|trial|share.?alike|\bnd\b",
    re.IGNORECASE,
)
_POINTER = re.compile(r"(?:see|refer|read)\b.*|(?:file:?\s*)?\W*(?:li[cs]en[cs]e|copying)[\w.-]*\W*", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://\S+", re.IGNORECASE)

# Where a URL leads, by the part after the host name.
_URLS = [
    (re.compile(pattern), expression)
    for pattern, expression in [
        (r"apache\.org/licenses/license-(\d\.\d)", "Apache-{}"),
        (r"opensource\.org/licenses?/mit\b|mit-license\.org|spdx\.org/licenses/mit\b", "MIT"),
        (r"opensource\.org/licenses?/apache-2\.0", "Apache-2.0"),
        (r"opensource\.org/licenses?/bsd-([234])-clause", "BSD-{}-Clause"),
        (r"opensource\.org/licenses?/bsd-license", "BSD-2-Clause"),
        (r"opensource\.org/licenses?/isc\b", "ISC"),
        (r"mozilla\.org/(?:en-us/)?mpl/(\d\.\d)", "MPL-{}"),
        (r"eclipse\.org/legal/epl-v?(\d)-?0", "EPL-{}.0"),
        (r"eclipse\.org/org/documents/edl-v10", "BSD-3-Clause"),
        (r"gnu\.org/(?:copyleft|licenses)/(?:old-licenses/)?(agpl|lgpl|gpl)-(\d\.\d)", "{}-{}-only"),
        (r"gnu\.org/(?:copyleft|licenses)/(agpl|lgpl|gpl)\b", "{}"),
        (r"creativecommons\.org/publicdomain/zero/1\.0", "CC0-1.0"),
        (r"creativecommons\.org/licenses/(by(?:-nc)?(?:-nd|-sa)?)/(\d\.\d)", "CC-{}-{}"),
        (r"boost\.org/license_1_0", "BSL-1.0"),
        (r"unlicense\.org", "Unlicense"),
        (r"wtfpl\.net", "WTFPL"),
    ]
]
_ANY_VERSION = {"GPL": "GPL-1.0-or-later", "LGPL": "LGPL-2.0-or-later", "AGPL": "AGPL-1.0-or-later"}


def says_nothing(text: str) -> bool:
    """Whether a value is but a placeholder."""
    return text.strip().lower() in _NOTHING


def stated(text: str) -> str | None:
    """The expression for the value of a licence field; None where it says nothing at all."""
    if says_nothing(text):
        return None
    short = " ".join(text[: _MAX_NAME + 1].split())
    if len(text) <= _MAX_NAME:
        if (found := name_expression(_plain(short)) or by_url(short)) and parse(found):
            return found
        if not _GRAVE.search(_POINTER.sub("", short)):
            return NO_ASSERTION
        return UNKNOWN
    whole = recognise(text)
    return whole.expression if whole else UNKNOWN


def by_url(text: str) -> str | None:
    """The licence that the only address in a short text leads to; None for words beside it."""
    address = _ADDRESS.search(text)
    if address is None or text.replace(address[0], "").strip(" ()<>.,"):
        return None
    lower = address[0].lower()
    for pattern, expression in _URLS:
        if found := pattern.search(lower):
            named = expression.format(*(part.upper() for part in found.groups()))
            return _ANY_VERSION.get(named, named)
    return None


def several(expressions: Sequence[str], choice: bool = False) -> str | None:
    """A list of licences as one expression; a choice if the format says so, or if it makes none worse off."""
    if not expressions:
        return None
    free = all(expression_class(one) == "permissive" for one in expressions)
    return join(list(expressions), "OR" if choice or free else "AND")


def _plain(name: str) -> str:
    """Without the address and the note in brackets that stand beside many a name: "MIT (https://…)"."""
    if _ADDRESS.search(name):
        return re.sub(r"[(<]\s*[)>]", "", _ADDRESS.sub("", name)).strip(" -,:") or name
    return name
