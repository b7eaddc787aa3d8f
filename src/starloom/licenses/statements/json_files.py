"""package.json (npm) and composer.json (PHP)."""

import json
import re
from typing import Any

from starloom.licenses.expressions import join
from starloom.licenses.statements.naming import by_url, several, stated
from starloom.licenses.statements.statement import Statement, folder, line_of
from starloom.licenses.verdict import NO_ASSERTION

_KEY = re.compile(r'"licen[cs]es?"\s*:', re.IGNORECASE)
_FILE = re.compile(r"see licen[cs]e in\b", re.IGNORECASE)


def package(text: str) -> tuple[Statement, ...]:
    """npm: `license` is an expression or an old {type, url}; `licenses` an old list of these that says no operator."""
    return _read(text, "package.json", choice=False)


def composer(text: str) -> tuple[Statement, ...]:
    """Composer: a list is a choice, as its schema says."""
    return _read(text, "composer.json", choice=True)


def _read(text: str, rule: str, choice: bool) -> tuple[Statement, ...]:
    key = _KEY.search(text)
    if key is None:
        return ()
    line = line_of(text, key.start())
    try:
        document = json.loads(text.removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        return folder(NO_ASSERTION, line, f"{rule}, malformed")
    if not isinstance(document, dict):
        return ()
    said = [
        expression
        for name in ("license", "licence", "licenses", "licences")
        if name in document and (expression := _value(document[name], choice)) is not None
    ]
    # Two keys that differ contradict each other: both apply.
    return folder(join(said, "AND"), line, rule) if said else ()


def _value(value: Any, choice: bool) -> str | None:
    if isinstance(value, str):
        return NO_ASSERTION if _FILE.match(value.strip()) else stated(value)
    if isinstance(value, dict):
        for key in ("type", "name"):
            if isinstance(value.get(key), str) and (expression := stated(value[key])):
                return expression
        url = value.get("url")
        return (by_url(url) if isinstance(url, str) else None) or NO_ASSERTION
    if isinstance(value, list):
        parts = [_value(one, choice) for one in value[:100] if not isinstance(one, list)]
        return several([part for part in parts if part], choice)
    return None
