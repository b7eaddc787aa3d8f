"""Writing opt-outs down: what a person names is looked up, and becomes entries of the log; lists of others come in.

A file is looked up in the listing as it is now: the entry keeps the contents that stand there, and its place. What is
opted out already is not written twice. Nothing is written where one of several subjects is refused.
"""

import csv
import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.identity import content_swhid
from starloom.outside.paths import printable
from starloom.settings import nearest
from starloom.the_stack import opt_out_held, opt_outs
from starloom.the_stack.opt_out_log import FILE, KINDS, PERSONAL, Entry, Log, Wish, append
from starloom.the_stack.opt_out_subject import Subject, logged, parse, refuse_blank
from starloom.the_stack.texts import cached_texts

MOST_BYTES: Final = 1 << 28  # of a list
_COLUMNS: Final = ("subject", "kind", *PERSONAL)


@dataclass(frozen=True)
class Asked:
    """One wish as a person states it; `contents`: where they are known already, of a file; `where`: for errors."""

    subject: Subject
    kind: str = "opt-out"
    personal: Mapping[str, str] | None = None
    contents: tuple[str, ...] = ()
    where: str = ""  # "FILE:LINE: "


@dataclass(frozen=True)
class Added:
    """What was written down, and what stood in the log already (by the entry that says so)."""

    entries: tuple[Entry, ...]
    before: tuple[tuple[str, int], ...]  # subject, entry


def add(
    root: Path,
    engine: Engine,
    asked: Sequence[Asked],
    models: Callable[[Sequence[Wish]], Sequence[tuple[str, ...]]],
    command: str,
) -> Added:
    """Writes wishes down. `models`: of each, the runs whose tokens hold it. Raises UserError, and writes nothing, where
    one of them cannot be meant."""
    found = [_looked_up(root, engine, one) for one in asked]
    _refuse_nobodys(root, found)
    before: list[tuple[str, int]] = []

    def wishes(log: Log) -> Sequence[Wish]:
        known = {(*_meant(one), one.contents): one.number for one in log.active}
        fresh: dict[tuple[str, str, tuple[str, ...]], Wish] = {}
        for one in found:
            key = one.subject.scope, one.subject.key, one.contents
            if key in known:
                before.append((one.subject.text, known[key]))
            elif key not in fresh:
                text, scope = one.subject.text, one.subject.scope
                fresh[key] = Wish("add", text, scope, one.kind, one.contents, personal=one.personal)
        new = list(fresh.values())
        return [Wish(**vars(one) | {"models": held}) for one, held in zip(new, models(new), strict=True)]

    return Added(tuple(append(root, wishes, command)), tuple(before))


def withdraw(root: Path, what: str, command: str) -> list[Entry]:
    """Ends the active entries that `what`, a number or a subject, names: (the withdrawals). Raises UserError."""

    def wishes(log: Log) -> Sequence[Wish]:
        if what.isdecimal() and len(what) < 10:
            some = [one for one in log.active if one.number == log.entry(int(what)).number]
        else:
            meant = {_meant(one) for one in log.active if one.subject == what.strip()}
            if not meant:
                subject = parse(what, opt_out_held.Called(root))
                meant = {(subject.scope, subject.key)}
            some = [one for one in log.active if _meant(one) in meant]
        if not some:
            raise UserError(
                f"`{printable(what)}` is no entry of {root / FILE} that holds", "see `starloom opt-out list`"
            )
        return [Wish("withdraw", one.subject, one.scope, one.kind, of=one.number) for one in some]

    return append(root, wishes, command)


def _meant(entry: Entry) -> tuple[str, str]:
    return entry.scope, logged(entry.scope, entry.subject).key


def _looked_up(root: Path, engine: Engine, asked: Asked) -> Asked:
    """The wish with the contents that it is about. Raises UserError."""
    subject = asked.subject
    if subject.scope == "content":
        return replace(asked, contents=(subject.content_id,))
    if subject.scope != "file" or asked.contents:
        return asked
    contents = opt_out_held.contents_at(root, engine, subject.text)
    if not contents:
        raise UserError(
            f"{asked.where}no file is listed as `{printable(subject.text)}`, and no repository",
            "see how it is listed with `starloom why PATH`; or name its content: swh:1:cnt:…; or put a slash behind "
            "what is the name of a repository",
        )
    return replace(asked, contents=contents)


def _refuse_nobodys(root: Path, asked: Sequence[Asked]) -> None:
    """Raises UserError for a content without anything but white space: what there is of it is nobody's."""
    wanted = {content_id: one for one in asked for content_id in one.contents}
    for content_id in wanted:
        refuse_blank(content_id)
    for content_id, text in cached_texts(root, wanted):
        if not text.strip():
            raise UserError(
                f"{wanted[content_id].where}{content_swhid(content_id)} holds nothing but white space: it is nobody's",
                "opt out its repository, if that is meant: that takes nothing of others",
            )


def from_list(path: Path, kind: str, personal: Mapping[str, str], called: Container[str] = ()) -> list[Asked]:
    """The wishes in a list: plain, one subject a line, `#` for comments; CSV with a column `subject`; JSON (a list) or
    JSON lines of texts, or of objects with `subject`; `kind`, `by`, `proof`, `reason` where they are given, else as the
    arguments say. A log of ours is such a file: of its entries those that hold. `called`: what repositories are called
    here. Raises UserError with file and line."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path} is longer than {MOST_BYTES:,} bytes", "cut it into several lists")
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise UserError(f"{path}: the list cannot be read: {problem}", "it must be a text file in UTF-8") from None
    if path.suffix == ".csv":
        rows = _csv(path, text)
    elif path.suffix in (".json", ".jsonl", ".ndjson"):
        rows = _json(path, text)
    else:
        rows = [(f"{path}:{number}", {"subject": line}) for number, line in opt_outs.lines(path)]
    found = [_asked(where, row, kind, personal, called) for where, row in rows]
    if not found:
        raise UserError(f"{path} names nothing", "one subject a line, or a column `subject`")
    return found


def _asked(where: str, row: Mapping[str, Any], kind: str, personal: Mapping[str, str], called: Container[str]) -> Asked:
    texts = {name: row[name] for name in _COLUMNS if row.get(name)}
    if not all(isinstance(value, str) for value in texts.values()):
        raise UserError(f"{where}: a text is expected in {', '.join(sorted(texts))}", "put it in quotes")
    stated = texts.get("kind", kind)
    if stated not in KINDS:
        raise UserError(f"{where}: `{printable(stated)[:50]}` is no kind of wish", nearest(stated, KINDS))
    try:
        text = texts.get("subject", "")
        subject = logged(str(row.get("scope")), text) if "action" in row else parse(text, called)
    except UserError as problem:
        raise UserError(f"{where}: {problem.problem}", problem.hint) from None
    own: dict[str, str] = {name: texts[name] for name in PERSONAL if name in texts}
    known = row.get("contents") if subject.scope == "file" else None
    contents = tuple(parse(str(one)).content_id for one in known) if isinstance(known, list) else ()
    return Asked(subject, stated, {**personal, **own}, contents, f"{where}: ")


def _csv(path: Path, text: str) -> list[tuple[str, Mapping[str, Any]]]:
    reader = csv.DictReader(text.splitlines())
    if "subject" not in (reader.fieldnames or ()):
        raise UserError(f"{path}:1: no column is called `subject`", f"its first line names {', '.join(_COLUMNS)}")
    try:
        return [(f"{path}:{reader.line_num}", row) for row in reader]
    except csv.Error as problem:
        raise UserError(f"{path}:{reader.line_num}: {problem}", "mend that line") from None


def _json(path: Path, text: str) -> list[tuple[str, Mapping[str, Any]]]:
    found: list[tuple[str, Any]] = []
    try:
        if path.suffix == ".json":
            values = json.loads(text)
            if not isinstance(values, list):
                raise UserError(f"{path} is no list", 'write ["somebody/project", …] or [{"subject": …}, …]')
            found = [(f"{path}, item {number}", one) for number, one in enumerate(values, 1)]
        else:
            for number, line in enumerate(text.split("\n"), 1):
                if line.strip():
                    found.append((f"{path}:{number}", json.loads(line)))
    except (ValueError, RecursionError) as problem:
        raise UserError(f"{path}: no JSON: {problem}", "mend it, or write a plain list") from None
    gone = {one.get("of") for _, one in found if isinstance(one, dict) and one.get("action") == "withdraw"}
    rows: list[tuple[str, Mapping[str, Any]]] = []
    for where, one in found:
        row = {"subject": one} if isinstance(one, str) else one
        if not isinstance(row, dict):
            raise UserError(f"{where}: neither a text nor an object", 'write "somebody/project" or {"subject": …}')
        if "action" in row:  # a log of ours
            if row["action"] != "add" or row.get("number") in gone:
                continue
            given = row.get("personal")
            row = row | {name: one.get("value") for name, one in given.items()} if isinstance(given, dict) else row
        rows.append((where, row))
    return rows
