"""pyproject.toml, Cargo.toml, REUSE.toml; and setup.cfg, their elder."""

import configparser
import re
import tomllib
from typing import Any

from starloom.licenses.expressions import join
from starloom.licenses.metadata import declared_expression
from starloom.licenses.statements.globs import any_of, reuse
from starloom.licenses.statements.naming import stated
from starloom.licenses.statements.statement import Statement, folder, line_of
from starloom.licenses.verdict import NO_ASSERTION

_LICENSE = re.compile(r"(?mi)^[ \t]*[\"']?(?:spdx-)?licen[cs]e")
_ANNOTATIONS = re.compile(r"[ \t]*\[\[[ \t]*annotations[ \t]*\]\]")
_MAX_DOTS = 1_000  # in one line that has no string: keys that nest so deep are an attack on the reader's time


def pyproject(text: str) -> tuple[Statement, ...]:
    """[project], or what poetry and flit had before it."""
    document = _load(text)
    if document is None:
        return _unreadable(text, "pyproject.toml, malformed")
    tool = _table(document, "tool")
    said = []
    for table in (
        _table(document, "project"),
        _table(tool, "poetry"),
        _table(_table(tool, "flit"), "metadata"),
    ):
        if (expression := _python(table)) is not None:
            said.append(expression)
    return folder(join(said, "AND"), _line(text), "pyproject.toml") if said else ()


def _python(table: dict[str, Any]) -> str | None:
    license, field, expression = table.get("license"), None, None
    if isinstance(license, str):
        expression = license
    elif isinstance(license, dict) and isinstance(license.get("text"), str):
        field = license["text"]
    classifiers = table.get("classifiers")
    listed = [one for one in classifiers if isinstance(one, str)] if isinstance(classifiers, list) else []
    found = declared_expression(expression, field, listed)
    if found is None and isinstance(license, dict) and "file" in license:
        return NO_ASSERTION
    return found


def cargo(text: str) -> tuple[Statement, ...]:
    """[package] or [workspace.package]; a slash between names is Cargo's old OR."""
    document = _load(text)
    if document is None:
        return _unreadable(text, "Cargo.toml, malformed")
    said = []
    for table in (_table(document, "package"), _table(_table(document, "workspace"), "package")):
        license = table.get("license")
        if isinstance(license, str) and (expression := stated(license)):
            said.append(expression)
        elif isinstance(table.get("license-file"), str):
            said.append(NO_ASSERTION)
    return folder(join(said, "AND"), _line(text), "Cargo.toml") if said else ()


def reuse_toml(text: str) -> tuple[Statement, ...]:
    """REUSE.toml: of the annotations that match a path the last one counts; the rule names its precedence."""
    document = _load(text)
    if document is None:
        return _unreadable(text, "REUSE.toml, malformed")
    annotations = document.get("annotations")
    heads = [number for number, line in enumerate(text.split("\n"), 1) if _ANNOTATIONS.match(line)]
    statements: list[Statement] = []
    for number, annotation in enumerate(annotations if isinstance(annotations, list) else (), 1):
        if not isinstance(annotation, dict):
            continue
        licenses = [stated(one) for one in _strings(annotation.get("SPDX-License-Identifier"))]
        expressions = [one for one in licenses if one]
        precedence = annotation.get("precedence")
        rule = f"REUSE.toml {precedence if precedence in ('override', 'aggregate') else 'closest'}"
        line = heads[number - 1] if number <= len(heads) else 1
        if expressions:
            expression = join(expressions, "AND")
            for pattern in any_of(reuse(path) for path in _strings(annotation.get("path"))):
                statements.append(Statement("files", pattern, expression, line, rule, number))
    return tuple(statements)


def setup_cfg(text: str) -> tuple[Statement, ...]:
    """[metadata]: license, license_expression, classifiers."""
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text.removeprefix("\ufeff"))
    except (configparser.Error, ValueError):
        return _unreadable(text, "setup.cfg, malformed")
    if not parser.has_section("metadata"):
        return ()
    metadata = parser["metadata"]
    classifiers = metadata.get("classifiers", metadata.get("classifier")) or ""
    found = declared_expression(
        metadata.get("license_expression"), metadata.get("license") or metadata.get("licence"), classifiers.split("\n")
    )
    return folder(found, _line(text), "setup.cfg") if found else ()


def _load(text: str) -> dict[str, Any] | None:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if any(line.count(".") > _MAX_DOTS for line in text.split("\n") if len(line) > 2 * _MAX_DOTS):
        return None
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError):
        return None


def _unreadable(text: str, rule: str) -> tuple[Statement, ...]:
    return folder(NO_ASSERTION, _line(text), rule) if _LICENSE.search(text) else ()


def _line(text: str) -> int:
    found = _LICENSE.search(text)
    found = found or re.search(r"License ::", text)
    return line_of(text, found.start()) if found else 1


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    value = table.get(key)
    return value if isinstance(value, dict) else {}


def _strings(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [one for one in values if isinstance(one, str)]
