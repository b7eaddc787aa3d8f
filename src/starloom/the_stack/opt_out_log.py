"""`opt-outs.jsonl`: the log of opt-outs, a line an entry, each with the hash of the one before.

An entry's `sha256` covers all of it but what is personal (who asked, the proof, the reason in their words), of which it
covers a salted hash. So personal fields can be erased, salt and all, and the chain still verifies; erasing is an entry
too. `opt-outs.head` beside it says how many entries were written and the hash of the last: a tail that was cut off, or
an older copy of the log, is told. Every read verifies everything (50 µs an entry). Not covered: somebody who writes
both files anew on purpose.

    {"number": 1, "at": "2026-11-28T15:00:00+00:00", "action": "add", "scope": "owner", "subject": "somebody",
     "kind": "opt-out", "contents": [], "models": [], "of": 0, "committed": {"by": "sha256…"},
     "personal": {"by": {"salt": "…", "value": "…"}}, "previous": "sha256…", "sha256": "…"}
"""

import hashlib
import json
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from starloom.errors import UserError
from starloom.workspace import atomic, operations
from starloom.workspace.lock import lock

FILE: Final = "opt-outs.jsonl"
HEAD: Final = "opt-outs.head"
LOCK: Final = "opt-outs.lock"
ACTIONS: Final = ("add", "withdraw", "erase")
SCOPES: Final = ("owner", "repository", "content", "file", "")
KINDS: Final = ("opt-out", "takedown", "personal-data", "secret", "license", "other")
PERSONAL: Final = ("by", "proof", "reason")
_FIRST: Final = "0" * 64
_MODE: Final = 0o600  # who asked is for nobody else to read
_BACKUP: Final = "restore {} from a backup; nothing is built from a log that may lack somebody's wish"
_REPAIR: Final = "see with `starloom opt-out verify --repair` what can be mended"


@dataclass(frozen=True)
class Entry:
    """A line of the log. `personal` lacks what was erased."""

    number: int  # counts from 1
    at: str  # ISO 8601, UTC
    action: str  # add, withdraw, erase
    subject: str  # as opt_out_subject writes it; of a withdrawal, that of the entry that it ends
    scope: str
    kind: str  # of the wish: see KINDS
    contents: tuple[str, ...] = ()  # content ids, of a content or file
    models: tuple[str, ...] = ()  # runs whose tokens held it when it was written down
    of: int = 0  # the entry that is withdrawn, or whose personal fields are erased
    personal: Mapping[str, str] = field(default_factory=dict)
    committed: Mapping[str, str] = field(default_factory=dict)  # salted hashes of the personal fields
    sha256: str = ""


@dataclass(frozen=True)
class Wish:
    """What is to be written down as an entry."""

    action: str
    subject: str
    scope: str
    kind: str
    contents: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    of: int = 0
    personal: Mapping[str, str] | None = None


class Log:
    """The entries, verified, in order."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self.entries = tuple(entries)
        gone = {one.of for one in entries if one.action == "withdraw"}
        self.active = tuple(one for one in entries if one.action == "add" and one.number not in gone)
        self.withdrawn = tuple(one for one in entries if one.action == "add" and one.number in gone)

    def entry(self, number: int) -> Entry:
        """Raises UserError where there is none of that number."""
        if not 1 <= number <= len(self.entries):
            raise UserError(f"the log has no entry {number}", f"it has {len(self.entries):,}: `starloom opt-out list`")
        return self.entries[number - 1]

    @property
    def mark(self) -> str:
        """Stands for the whole log, what was erased in it aside."""
        return f"{len(self.entries)} {self.entries[-1].sha256}" if self.entries else ""


def read(root: Path) -> Log:
    """The log of the workspace; empty where there is none. Raises UserError, with file and line, when it is not what
    was written."""
    lines, torn = _lines(root)
    if torn:
        raise UserError(
            f"{root / FILE}:{len(lines) + 1}: the line is torn: its writing was stopped, or the file was cut", _REPAIR
        )
    bodies = [_checked(root, number, line) for number, line in enumerate(lines, 1)]
    entries = _chained(root, bodies)
    _check_head(root, entries)
    return Log(entries)


def append(root: Path, wishes: Callable[[Log], Sequence[Wish]], command: str) -> list[Entry]:
    """Writes down what `wishes` wants of the log as it is now: (the new entries). One writer at a time. Raises
    UserError, where the log is damaged too."""
    with lock(root, command, LOCK):
        log = read(root)
        bodies = _bodies(log, wishes(log))
        if bodies:
            _append(root, bodies)
        return [_entry(body) for body in bodies]


def erase(root: Path, number: int, command: str) -> tuple[str, ...]:
    """Erases the personal fields of an entry, and writes that down: (their names). Raises UserError."""
    with lock(root, command, LOCK):
        log = read(root)
        found = log.entry(number)
        names = tuple(sorted(found.personal))
        if not names:
            return ()
        lines, _ = _lines(root)
        body = json.loads(lines[number - 1])
        lines[number - 1] = _line(body | {"personal": {}})
        (more,) = _bodies(log, [Wish("erase", found.subject, "", found.kind, of=number)])
        with operations.explained(root / FILE):
            _replace(root / FILE, [*lines, _line(more)])
            _write_head(root, more)
        return names


def repair(root: Path, command: str) -> list[str]:
    """Mends what a stopped run leaves: (what was done, in words). A torn last line that was never confirmed goes; a
    head that is missing is written. Raises UserError for damage that only a backup mends."""
    done: list[str] = []
    with lock(root, command, LOCK):
        lines, torn = _lines(root)
        bodies = [_checked(root, number, line) for number, line in enumerate(lines, 1)]
        entries = _chained(root, bodies)
        count, _ = _read_head(root) or (0, "")
        if torn and count <= len(lines):
            with operations.explained(root / FILE):
                _replace(root / FILE, lines)
            done.append(f"line {len(lines) + 1} is gone: it was torn, and its entry was never confirmed")
        if bodies and _read_head(root) is None:
            with operations.explained(root / HEAD):
                _write_head(root, bodies[-1])
            done.append(f"{HEAD} is written: the log is taken to be whole with {len(bodies):,} entries")
        _check_head(root, entries)
    return done


def _bodies(log: Log, wishes: Sequence[Wish]) -> list[dict[str, Any]]:
    bodies: list[dict[str, Any]] = []
    previous = log.entries[-1].sha256 if log.entries else _FIRST
    at = datetime.now(UTC).isoformat(timespec="seconds")
    for number, wish in enumerate(wishes, len(log.entries) + 1):
        given = {name: value for name, value in (wish.personal or {}).items() if value}
        personal = {name: {"salt": secrets.token_hex(16), "value": value} for name, value in sorted(given.items())}
        body = {
            "number": number,
            "at": at,
            "action": wish.action,
            "scope": wish.scope,
            "subject": wish.subject,
            "kind": wish.kind,
            "contents": list(wish.contents),
            "models": list(wish.models),
            "of": wish.of,
            "committed": {name: _commitment(one) for name, one in personal.items()},
            "personal": personal,
            "previous": previous,
        }
        previous = _sha256(body)
        bodies.append(body | {"sha256": previous})
    return bodies


def _append(root: Path, bodies: list[dict[str, Any]]) -> None:
    path = root / FILE
    with operations.explained(path):
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        descriptor = operations.do("open", path, lambda: os.open(path, flags, _MODE))
        try:
            operations.write_all(descriptor, path, b"".join(map(_line, bodies)))
            operations.do("fsync", path, lambda: os.fsync(descriptor))
        finally:
            os.close(descriptor)
        operations.sync_folder(root)
        _write_head(root, bodies[-1])


def _replace(path: Path, lines: Sequence[bytes]) -> None:
    atomic.replace_file(path, b"".join(lines))
    path.chmod(_MODE)


def _write_head(root: Path, last: Mapping[str, Any]) -> None:
    atomic.replace_file(root / HEAD, f"{last['number']} {last['sha256']}\n".encode())


def _read_head(root: Path) -> tuple[int, str] | None:
    """(entries that were written, hash of the last). Raises UserError where it is no head."""
    path = root / HEAD
    try:
        text = path.read_text(encoding="ascii")
        number, sha256 = text.split()
        return int(number), sha256
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as problem:
        raise UserError(
            f"{path}: it does not say how long {FILE} is: {problem}",
            f"restore it from a backup, or delete it: {_REPAIR}",
        ) from None


def _check_head(root: Path, entries: Sequence[Entry]) -> None:
    """Raises UserError where the log ends before, or other than, its head says. One that goes on is fine: its writer
    was stopped between the two."""
    head = _read_head(root)
    path = root / FILE
    if head is None:
        if entries:
            raise UserError(
                f"{root / HEAD} is missing: whether {path} was cut after line {len(entries)}, nobody can tell", _REPAIR
            )
        return
    count, sha256 = head
    if count > len(entries):
        what = f"{path} is missing" if not entries else f"{path}:{len(entries)}: it ends here"
        raise UserError(f"{what}, and {HEAD} says that {count:,} entries were written", _BACKUP.format(path))
    if count and entries[count - 1].sha256 != sha256:
        raise UserError(f"{path}:{count}: this is not the entry that {HEAD} names", _BACKUP.format(path))


def _lines(root: Path) -> tuple[list[bytes], bool]:
    """(the whole lines, each with its end; whether something follows them that is none)."""
    path = root / FILE
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return [], False
    except OSError as problem:
        raise UserError(f"{path}: the opt-outs cannot be read: {problem.strerror}", "check its permissions") from None
    *whole, rest = data.split(b"\n")
    return [line + b"\n" for line in whole], bool(rest)


def _checked(root: Path, number: int, line: bytes) -> dict[str, Any]:
    """The body of a line whose own hashes hold. Raises UserError."""
    where, remedy = f"{root / FILE}:{number}", _BACKUP.format(root / FILE)
    try:
        body = json.loads(line)
        texts = [body[name] for name in ("at", "action", "scope", "subject", "kind", "previous", "sha256")]
        numbers = [body["number"], body["of"]]
        lists = [*body["contents"], *body["models"], *body["committed"].values()]
        personal = [one[part] for one in body["personal"].values() for part in ("salt", "value")]
        if not all(isinstance(one, str) for one in [*texts, *lists, *personal]):
            raise TypeError("no text")
        if not all(type(one) is int for one in numbers) or body["action"] not in ACTIONS or body["scope"] not in SCOPES:
            raise ValueError("no entry")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UserError(f"{where}: this is no entry of the log", remedy) from None
    if _sha256(body) != body["sha256"]:
        raise UserError(f"{where}: the entry was edited: its sha256 is not the one it bears", remedy)
    for name, one in body["personal"].items():
        if _commitment(one) != body["committed"].get(name):
            raise UserError(f"{where}: `{name}` was edited: its salted hash is not the one in the entry", remedy)
    return dict(body)


def _chained(root: Path, bodies: Sequence[dict[str, Any]]) -> list[Entry]:
    """The entries of bodies that follow one another. Raises UserError with the line that does not."""
    previous = _FIRST
    erased = {body["of"] for body in bodies if body["action"] == "erase"}
    for number, body in enumerate(bodies, 1):
        where, remedy = f"{root / FILE}:{number}", _BACKUP.format(root / FILE)
        if body["number"] != number or body["previous"] != previous:
            raise UserError(f"{where}: it does not follow the line before: a line was removed, added or moved", remedy)
        if not 0 <= body["of"] < number or (body["action"] != "add") != bool(body["of"]):
            raise UserError(f"{where}: it speaks of entry {body['of']}, which is none before it", remedy)
        whole = body["personal"].keys() == body["committed"].keys()
        if number in erased and body["personal"]:
            raise UserError(
                f"{where}: its personal fields were erased, and are back", "an old copy was restored: erase them again"
            )
        if number not in erased and not whole:
            raise UserError(f"{where}: its personal fields are gone, and no entry says that they were erased", remedy)
        previous = body["sha256"]
    return [_entry(body) for body in bodies]


def _entry(body: Mapping[str, Any]) -> Entry:
    return Entry(
        **{name: body[name] for name in ("number", "at", "action", "subject", "scope", "kind", "of", "sha256")},
        contents=tuple(body["contents"]),
        models=tuple(body["models"]),
        personal={name: one["value"] for name, one in body["personal"].items()},
        committed=dict(body["committed"]),
    )


def _commitment(one: Mapping[str, str]) -> str:
    return hashlib.sha256(f"{one['salt']}:{one['value']}".encode("utf-8", "surrogatepass")).hexdigest()


def _sha256(body: Mapping[str, Any]) -> str:
    """Over all of a body but its own hash and what may be erased."""
    covered = {name: value for name, value in body.items() if name not in ("sha256", "personal")}
    return hashlib.sha256(json.dumps(covered, sort_keys=True, separators=(",", ":")).encode("ascii")).hexdigest()


def _line(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, separators=(", ", ": ")).encode("ascii") + b"\n"
