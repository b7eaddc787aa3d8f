"""The filters of a query: their names, what each takes, and the values that come from tables: languages, licences."""

from typing import Final

from starloom.languages import table as languages
from starloom.licenses import categories, expressions
from starloom.search.nodes import FilterField
from starloom.search.place import Place, refuse, shown
from starloom.settings import nearest

LICENSE_TYPES: Final = ("permissive", "no_license", "non_permissive")

EXAMPLES: Final[dict[FilterField, str]] = {
    "lang": 'lang:python, lang:"Jupyter Notebook"',
    "repo": "repo:django, repo:/^pypi/",
    "path": "path:tests/",
    "file": "file:setup, file:/[.]pyi?$/",
    "license": "license:permissive, license:MIT",
    "sym": "sym:HTTPServer",
}
FIELDS: Final[dict[str, FilterField]] = {name: name for name in EXAMPLES}
WITH_PATTERNS: Final = ("repo", "path", "file", "sym")  # take /regex/

_LICENSES: Final = f"give {', '.join(LICENSE_TYPES)}, or an SPDX id such as MIT, Apache-2.0, GPL-3.0-only"


def language(query: str, value: str, place: Place) -> str:
    """The name of a language that has this name or alias."""
    known = languages.by_name(value)
    if known is None:
        hint = nearest(value.title(), languages.load().languages)
        named = hint if hint.startswith("did") else "give a name as GitHub has it, for example Python, C++, Shell"
        refuse(query, place, f"unknown language `{shown(value)}`", named)
    return known.name


def license(query: str, value: str, place: Place) -> str:
    """A type of licence, or an expression in SPDX's spelling."""
    if value.lower() in LICENSE_TYPES:
        return value.lower()
    if expressions.parse(value) is None:
        refuse(query, place, f"`{shown(value)}` is no license expression", _LICENSES)
    for one in expressions.symbols(value):
        if categories.canonical(one) is None and not one.lower().startswith("licenseref-"):
            refuse(query, place, f"unknown license `{shown(one)}`", _LICENSES)
    return expressions.rename(value, lambda one: categories.canonical(one) or one)
