"""What the values of a row mean: a repository's facts, a file's path, bytes and hashes.

Values are strangers': each is taken where it is what it should be, else it is unknown. Contents are text; the bytes
they were are tried in this order: UTF-8, then `src_encoding`, and the first that hashes to a stated id is taken; where
none does (the text was redacted, or another tool decoded it) it is UTF-8, and its own hashes count.
"""

import codecs
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starloom.identity import blob_id, content_id
from starloom.outside.paths import printable, raw_path
from starloom.sources.hub_datasets.shape import Shape
from starloom.sources.repository import Repository

MAX_NAME = 255
_HASH = re.compile(r"[0-9a-f]{40}")
_GITHUB_NAME = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+")
_ENCODING = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_NO_ENCODINGS = (
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "raw_unicode_escape",
)  # slow, or no encodings of files


@dataclass(frozen=True, slots=True)
class File:
    """One file of a row: its bytes, or the ids under which they are stored elsewhere, or a problem."""

    raw_path: bytes
    data: bytes | None
    content_id: str | None
    blob_id: str | None
    size: int | None
    problem: str | None
    differs: bool = False  # the bytes do not hash to the id that is stated


def repository_of(values: Mapping[str, Any], shape: Shape, name: str, location: str) -> Repository:
    """The repository that a row tells of, under the name that `name_of` found. Its rights are said where it is read."""
    found: dict[str, Any] = {field: _at(values, column) for field, column in shape.repository}
    facts: dict[str, Any] = {field: _CHECKS[field](value) for field, value in found.items() if field != "repo_name"}
    branch, url = facts.get("branch_name"), facts.get("url")
    if branch is not None and not branch.startswith("refs/"):
        facts["branch_name"] = f"refs/heads/{branch}"
    if url is None and shape.github and _GITHUB_NAME.fullmatch(name):
        facts["url"] = f"https://github.com/{name}"
    return Repository(repo_name=name, kind="dataset", location=location, rights="public", **facts)


def name_of(values: Mapping[str, Any], shape: Shape) -> str | None:
    """The repository's name, where the row says one."""
    column = dict(shape.repository).get("repo_name")
    found = _text(_at(values, column)) if column else None
    return found.strip("/ ")[:MAX_NAME] or None if found else None


def file_of(values: Mapping[str, Any], shape: Shape, unnamed: str) -> File:
    """One file. `unnamed`: the path of one that has none, without its extension."""
    found = {field: values.get(column) for field, column in shape.file}
    raw = _raw_path(found, shape, unnamed)
    stated, stated_blob = _hash(found.get("content_id")), _hash(found.get("blob_id"))
    content = found.get("content")
    if isinstance(content, str):
        try:
            content = content.encode()
        except UnicodeEncodeError:
            return File(raw, None, None, None, None, "its content is no text: it has lone surrogates")
    if content is None:
        size = _count(found.get("size"))
        if stated and stated_blob and size is not None:
            return File(raw, None, stated, stated_blob, size, None)
        problem = "its row has no content" if shape.inline else "its row has no valid ids, or no length"
        return File(raw, None, None, None, size, problem)
    if not isinstance(content, bytes):
        return File(raw, None, None, None, None, "its content is no text")
    computed = content_id(content)
    if stated is None and stated_blob is None:
        return File(raw, content, computed, None, len(content), None)
    if computed == stated or (stated is None and blob_id(content) == stated_blob):
        return File(raw, content, computed, None, len(content), None)
    original = _encoded(content, found.get("src_encoding"))
    if original is not None and (content_id(original) == stated or blob_id(original) == stated_blob):
        return File(raw, original, content_id(original), None, len(original), None)
    return File(raw, content, computed, None, len(content), None, differs=True)


def _raw_path(found: Mapping[str, Any], shape: Shape, unnamed: str) -> bytes:
    path = found.get("path")
    if path is None or path in ("", b""):
        path = found.get("id")
        if not isinstance(path, str | bytes) or not path:
            end = (_text(found.get("extension")) or "").lstrip(".")
            path = f"{unnamed}.{end}" if end else unnamed
    if isinstance(path, bytes):
        if not shape.ours:
            return path.removeprefix(b"/")  # v2 writes them from the root of the repository
        path = path.decode("utf-8", "backslashreplace")
    elif not isinstance(path, str):
        path = str(path)
    try:
        return raw_path(path) if shape.ours else path.removeprefix("/").encode()
    except UnicodeEncodeError:
        return path.encode("utf-8", "backslashreplace")


def _encoded(content: bytes, encoding: Any) -> bytes | None:
    """The bytes that the text was decoded from, as far as its encoding tells."""
    name = _text(encoding)
    if name is None or not _ENCODING.fullmatch(name):
        return None
    try:
        codec = codecs.lookup(name)
        if codec.name.replace("-", "_") in (*_NO_ENCODINGS, "utf_8"):
            return None
        return str(content, "utf-8").encode(codec.name)
    except (LookupError, ValueError):  # no such encoding of text; not in its alphabet
        return None


def _at(values: Mapping[str, Any], column: str) -> Any:
    outer, _, inner = column.partition(".")
    found = values.get(outer)
    if inner:
        return found.get(inner) if isinstance(found, Mapping) else None
    return found


def _text(value: Any) -> str | None:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    return printable(value[:4096]) or None if isinstance(value, str) else None


def _hash(value: Any) -> str | None:
    text = _text(value)
    return text.lower() if text and _HASH.fullmatch(text.lower()) else None


def _count(value: Any) -> int | None:
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)  # a column with nulls that went through pandas
    if isinstance(value, bytes | str) and len(value) < 19 and value.isdigit() and value.isascii():
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63 else None


def _time(value: Any) -> datetime | None:
    if isinstance(value, bytes | str):
        try:
            value = datetime.fromisoformat((_text(value) or "").replace(" UTC", "+00:00"))
        except ValueError:
            return None
    if not isinstance(value, datetime):
        return None
    try:
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _license(value: Any) -> str | None:
    """An expression; of several all hold, as v1 found them in one repository."""
    if isinstance(value, list):
        return " AND ".join(sorted({text for one in value if (text := _text(one))})) or None
    return _text(value)


_CHECKS: dict[str, Callable[[Any], Any]] = {
    **dict.fromkeys(("url", "branch_name", "gha_license_id", "gha_language"), _text),
    **dict.fromkeys(("revision_id", "snapshot_id", "directory_id"), _hash),
    **dict.fromkeys(("github_id", "star_events_count", "fork_events_count"), _count),
    **dict.fromkeys(("visit_date", "revision_date", "committer_date", "gha_event_created_at"), _time),
    **dict.fromkeys(("gha_created_at", "gha_updated_at", "gha_pushed_at"), _time),
    "declared_license": _license,
}
