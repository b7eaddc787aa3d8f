"""One hour of GH Archive, JSON lines, to a narrow Parquet file of what repositories are known by.

Three forms of line are read: the Events API's (since 2015; `repo`, numeric ids), its predecessor of 2011 and early
2012 (`repo` with an `api.github.dev` URL) and the Timeline's until 2014 (`repository`, often without an id). Since
autumn 2025 payloads are trimmed to ids and actions, so everything but type, time and repository name is optional.
Rows: stars, forks, pull requests, creations, publications; a fork gives a second row, of the repository it made.
Issues and comments will be another file of the same hour. Cost: lines of other types are told apart by their first
bytes, only the rest is parsed: 1.4 times as fast as `gzip` with `json.loads` of every line, where pull requests are a
third of the bytes. Memory: one row group, and one line of at most `MAX_LINE`.
"""

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from starloom.errors import UserError
from starloom.outside.json_lines import LinesError, lines
from starloom.sources.aside import publish
from starloom.sources.repository import RepositoryProblem, utc

VERSION = 1  # of the rows: another one makes every hour be read again
MAX_LINE = 32 << 20  # bytes of one event
MAX_BYTES = 8 << 30  # bytes of JSON in an hour; real ones have below 2 GB
_GROUP_ROWS = 100_000

_TIME = pa.timestamp("us", "UTC")
EVENTS = pa.schema(
    [
        pa.field("kind", pa.string(), nullable=False),  # star, fork, forkee, pull_request, create, public
        pa.field("created_at", _TIME, nullable=False),
        ("event_id", pa.int64()),  # None in the Timeline form
        ("github_id", pa.int64()),  # None in many of the Timeline form
        pa.field("repo_name", pa.string(), nullable=False),
        pa.field("described", pa.bool_(), nullable=False),  # whether the event held the repository's own description
        pa.field("license_stated", pa.bool_(), nullable=False),  # whether that has a licence field, even an empty one
        ("license_id", pa.string()),  # SPDX
        ("repo_created_at", _TIME),
        ("repo_updated_at", _TIME),
        ("repo_pushed_at", _TIME),
        ("language", pa.string()),
        ("default_branch", pa.string()),
        ("is_fork", pa.bool_()),
    ]
)

_KINDS = {
    "WatchEvent": "star",
    "ForkEvent": "fork",
    "PullRequestEvent": "pull_request",
    "CreateEvent": "create",
    "PublicEvent": "public",
}
_TYPES = frozenset(name.encode() for name in _KINDS)
_WANTED = re.compile(rb'"type"\s*:\s*"(?:Watch|Fork|PullRequest|Create|Public)Event"')
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}/[A-Za-z0-9_.-]{1,100}")
_URL_NAME = re.compile(r"https?://[^/\s]+/(?:repos/)?([^/\s]+/[^/\s]+)")
_OTHER_TIMES = ("%Y/%m/%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S %z", "%Y-%m-%d %H:%M:%S UTC")


class Event(NamedTuple):
    """A row of EVENTS; times in UTC."""

    kind: str
    created_at: datetime
    event_id: int | None
    github_id: int | None
    repo_name: str
    described: bool
    license_stated: bool
    license_id: str | None
    repo_created_at: datetime | None
    repo_updated_at: datetime | None
    repo_pushed_at: datetime | None
    language: str | None
    default_branch: str | None
    is_fork: bool | None


@dataclass(frozen=True)
class Hour:
    """An hourly file, and where its rows go."""

    path: str
    rows: str


def read_hour(hour: Hour) -> list[RepositoryProblem]:
    """In a worker: writes the rows of one hour, whole or not at all. What it could not make use of."""
    aside = Path(f"{hour.rows}.{os.getpid()}.aside")
    counts = {"lines": 0, "malformed": 0}
    try:
        with pq.ParquetWriter(aside, EVENTS, compression="zstd") as writer:
            rows: list[Event] = []
            for _, line in lines(hour.path, max_line=MAX_LINE, max_bytes=MAX_BYTES):
                counts["lines"] += 1
                try:
                    rows += events(b"{" if line is None else line)
                except ValueError:
                    counts["malformed"] += 1
                if len(rows) >= _GROUP_ROWS:
                    writer.write_table(_table(rows))
                    rows = []
            writer.write_table(_table(rows))
            writer.add_key_value_metadata({"starloom": json.dumps(counts)})
        publish(aside, Path(hour.rows))
    except LinesError as problem:
        return [_problem(hour, str(problem))]
    except OSError as problem:
        raise UserError(f"{aside}: {problem.strerror or problem}", "free space there, then run it again") from None
    finally:
        aside.unlink(missing_ok=True)
    return told(hour)


def told(hour: Hour) -> list[RepositoryProblem]:
    """What the written rows of an hour are without. Raises OSError or ArrowException where they cannot be read."""
    stated = (pq.read_metadata(hour.rows).metadata or {}).get(b"starloom", b"{}")
    malformed = json.loads(stated).get("malformed", 0)
    if not malformed:
        return []
    reason = f"{malformed:,} {'line is' if malformed == 1 else 'lines are'} no event: left out"
    return [RepositoryProblem(hour.path, reason, "fetch the file again if it may be damaged; the others count")]


def _problem(hour: Hour, reason: str) -> RepositoryProblem:
    return RepositoryProblem(hour.path, reason, "fetch the file again; until then its events are not counted")


def _table(rows: list[Event]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(EVENTS)
    return pa.Table.from_arrays(
        [pa.array(column, field.type) for column, field in zip(columns, EVENTS, strict=True)], schema=EVENTS
    )


def events(line: bytes) -> list[Event]:
    """The rows of one line; none for an event of another type. Raises ValueError where it is no event."""
    line = line.strip()
    if not line:
        return []
    if line[:1] != b"{" or line[-1:] != b"}":
        raise ValueError("no JSON object")
    # The Events API's key order makes the type known after some twenty bytes.
    end = line.find(b'"', 7, 40)
    if line.startswith(b'{"id":"') and line.startswith(b'","type":"', end):
        if line[end + 10 : line.find(b'"', end + 10, end + 60)] not in _TYPES:
            return []
    elif not _WANTED.search(line):
        return []
    try:
        event = json.loads(line)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    kind = _KINDS.get(event.get("type")) if isinstance(event.get("type"), str) else None
    return _rows(kind, event) if kind else []


def _rows(kind: str, event: dict[str, Any]) -> list[Event]:
    created_at = _time(event.get("created_at"))
    if created_at is None:
        raise ValueError("no time")
    payload = _object(event, "payload")
    at = _object(event, "repo") or _object(event, "repository")
    branch = None
    if kind == "star" and payload.get("action", "started") != "started":
        return []
    if kind == "create":
        branch = _text(payload.get("master_branch"))
    if kind == "pull_request":
        base = _object(_object(_object(payload, "pull_request"), "base"), "repo")
        at = base if _name(base) and _id(base.get("id")) is not None else at
    rows = [_row(kind, created_at, event, at, branch)]
    if kind == "fork":
        rows.append(_row("forkee", created_at, event, _object(payload, "forkee"), None))
    return [row for row in rows if row is not None]


def _row(
    kind: str, created_at: datetime, event: dict[str, Any], at: dict[str, Any], branch: str | None
) -> Event | None:
    """None where the repository has no name: events of gists and people have none."""
    name = _name(at)
    if name is None:
        return None
    repo_created_at = _time(at.get("created_at"))
    described = repo_created_at is not None  # what is trimmed, or only points to a repository, does not say it
    fork = at.get("fork")
    return Event(
        kind,
        created_at,
        _id(event.get("id")),
        _id(at.get("id")),
        name,
        described,
        described and "license" in at,
        _text(_object(at, "license").get("spdx_id")),
        repo_created_at,
        _time(at.get("updated_at")),
        _time(at.get("pushed_at")),
        _text(at.get("language")),
        branch or _text(at.get("default_branch")) or _text(at.get("master_branch")),
        fork if isinstance(fork, bool) else (True if kind == "forkee" else None),
    )


def _name(at: dict[str, Any]) -> str | None:
    """`owner/name`: as such, else from the URL, else from its halves."""
    full, name, url, owner = (at.get(key) for key in ("full_name", "name", "url", "owner"))
    found = _URL_NAME.fullmatch(url) if isinstance(url, str) and len(url) < 500 else None
    if isinstance(owner, dict):
        owner = owner.get("login")
    halves = f"{owner}/{name}" if isinstance(owner, str) and isinstance(name, str) else None
    for candidate in (full, name, found[1] if found else None, halves):
        if isinstance(candidate, str) and _NAME.fullmatch(candidate):
            return candidate
    return None


def _object(at: dict[str, Any], key: str) -> dict[str, Any]:
    found = at.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: object) -> str | None:
    """Short printable text; a stranger's lone surrogates and controls are none."""
    return value if isinstance(value, str) and 0 < len(value) <= 255 and value.isprintable() else None


def _id(value: object) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 19:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63 else None


def _time(value: object) -> datetime | None:
    """ISO 8601, seconds since 1970, or what the Timeline had; without an offset it is UTC. None: none of these."""
    if isinstance(value, int) and not isinstance(value, bool):
        return utc(value)
    if not isinstance(value, str) or not 10 <= len(value) <= 40:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        for form in _OTHER_TIMES:
            try:
                found = datetime.strptime(value, form)
                break
            except ValueError:
                continue
        else:
            return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (OverflowError, ValueError):  # year 1 or 9999, moved past the end
        return None
