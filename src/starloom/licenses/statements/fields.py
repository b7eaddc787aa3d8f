"""Metadata made of `Name: value` lines: PKG-INFO and METADATA, R's DESCRIPTION, *.cabal, paragraphs of DEP-5.

A line that begins with white space goes on with the value above it.
"""

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from starloom.licenses.expressions import join
from starloom.licenses.metadata import declared_expression, name_expression
from starloom.licenses.statements.naming import several, stated
from starloom.licenses.statements.statement import Statement, folder
from starloom.licenses.verdict import NO_ASSERTION


class Field(NamedTuple):
    name: str  # in lower case
    value: str  # lines joined by "\n", each without the white space around it
    line: int


_FIELD = re.compile(r"([A-Za-z][\w-]{0,60})\s*:(.*)")


def paragraphs(text: str) -> Iterator[list[Field]]:
    """The fields between blank lines."""
    fields: list[Field] = []
    name, values, at = "", [""], 0
    for number, line in enumerate((*text.removeprefix("\ufeff").split("\n"), ""), 1):
        line = line.rstrip()
        if line and line[0] in " \t":
            values.append(line.strip())
            continue
        if name and not line.startswith("#"):
            fields.append(Field(name, "\n".join(values), at))
            name = ""
        if not line:
            if fields:
                yield fields
            fields = []
        elif found := _FIELD.fullmatch(line):
            name, values, at = found[1].lower(), [found[2].strip()], number
    # The last empty line closed the last paragraph.


def python(text: str) -> tuple[Statement, ...]:
    """PKG-INFO, METADATA: License-Expression, License, classifiers."""
    head = next(paragraphs(text.replace("\r\n", "\n")), [])
    if not any(one.name == "metadata-version" for one in head):
        return ()
    first: dict[str, Field] = {}
    for field in head:
        first.setdefault(field.name, field)
    classifiers = [one for one in head if one.name == "classifier" and one.value.startswith("License ::")]
    expression, license = first.get("license-expression"), first.get("license")
    found = declared_expression(
        expression.value if expression else None,
        re.sub(r"(?m)^\|", "", license.value) if license else None,
        [one.value for one in classifiers],
    )
    if found is None:
        return ()
    said = expression or license or classifiers[0]
    return folder(found, said.line, "Python metadata")


# --- R -----------------------------------------------------------------------------------------------------------

_FILE = re.compile(r"\s*\+\s*file\s+\S+", re.IGNORECASE)
_RANGE = re.compile(r"(.+?)\s*\(\s*(>=?|==)\s*([\d.]+)[^)]*\)")
_R_NAMES = {
    "bsd_2_clause": "BSD-2-Clause",
    "bsd_3_clause": "BSD-3-Clause",
    "unlimited": NO_ASSERTION,
    "lucent public license": "LPL-1.02",
    "acm": "LicenseRef-ACM",
}


def r_description(text: str) -> tuple[Statement, ...]:
    """R's DESCRIPTION: alternatives between `|`, versions in brackets, `+ file LICENSE`."""
    fields: Mapping[str, Field] = {}
    for paragraph in paragraphs(text.replace("\r\n", "\n")):
        fields = {one.name: one for one in paragraph}
        break
    if "package" not in fields or "license" not in fields:
        return ()
    parts = [_r_license(part) for part in fields["license"].value.replace("\n", " ").split("|")]
    found = [part for part in parts if part]
    return folder(join(found, "OR"), fields["license"].line, "DESCRIPTION") if found else ()


def _r_license(part: str) -> str | None:
    name = _FILE.sub("", part).strip()
    if name.lower().startswith("file "):
        return NO_ASSERTION
    if (known := _R_NAMES.get(name.lower())) is not None:
        return known
    if ranged := _RANGE.fullmatch(name):
        later = "+" if ranged[2] != "==" else ""
        return name_expression(f"{ranged[1]} {ranged[3]}{later}") or name_expression(ranged[1]) or stated(name)
    return stated(name)


# --- Haskell -----------------------------------------------------------------------------------------------------

_CABAL = {
    "bsd2": "BSD-2-Clause",
    "bsd3": "BSD-3-Clause",
    "bsd4": "BSD-4-Clause",
    "publicdomain": "LicenseRef-scancode-public-domain",
    "allrightsreserved": "LicenseRef-scancode-proprietary-license",
    "otherlicense": NO_ASSERTION,
    "unspecifiedlicense": NO_ASSERTION,
}


def cabal(text: str) -> tuple[Statement, ...]:
    """*.cabal: the package's `license`."""
    for paragraph in paragraphs(text.replace("\r\n", "\n")):
        for field in paragraph:
            if field.name == "license":
                said = _CABAL.get(field.value.lower()) or stated(field.value)
                return folder(said, field.line, "cabal") if said else ()
            if field.name == "license-file" and not any(one.name == "license" for one in paragraph):
                return folder(NO_ASSERTION, field.line, "cabal")
    return ()


# --- Ruby --------------------------------------------------------------------------------------------------------

_GEM = re.compile(
    r"(?m)^[ \t]*\w{1,30}\.licen[cs]e(s?)[ \t]*(?:\|\|)?=[ \t]*(\[[^\]]{0,500}\]|%w.[^\n]{0,300}|[^\n]{0,300})"
)
_QUOTED = re.compile(r"""(["'])([^"'\n]{1,200})\1""")


def gemspec(text: str) -> tuple[Statement, ...]:
    """*.gemspec, a Ruby program that is only looked at: `spec.license = "MIT"`, `spec.licenses = [...]`."""
    found = _GEM.search(text)
    if found is None:
        return ()
    value = found[2].strip()
    if value.startswith("%w"):
        names = re.split(r"[\])}>|]", value[3:])[0].split()
    else:
        names = [quoted[2] for quoted in _QUOTED.finditer(value)]
    parts = [stated(name) for name in names] or [NO_ASSERTION]
    said = several([part for part in parts if part])
    return folder(said, text.count("\n", 0, found.start()) + 1, "gemspec") if said else ()
