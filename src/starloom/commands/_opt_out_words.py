"""What `starloom opt-out` looks up and says: for programs as JSON values, for a person in lines."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starloom.engine.verbs import Engine
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.outside.paths import printable
from starloom.progress import counted, human
from starloom.the_stack import opt_out_held, opt_outs, tables
from starloom.the_stack.opt_out_log import Entry, Log
from starloom.the_stack.opt_out_purge import Going, Plan
from starloom.the_stack.opt_out_subject import Subject, parse
from starloom.the_stack.opt_out_wishes import Added
from starloom.training.impact import AGAIN, Impact, entries_of
from starloom.training.impact import impact as held_by
from starloom.workspace.manifest import read_manifest

_MOST = 64 << 20  # bytes of a file whose content is asked for
_NOTHING = {"in_dataset": [], "total": 0, "elsewhere": 0, "holdings": [], "unknown": []}


def entry_json(one: Entry, active: bool, personal: bool = False) -> dict[str, Any]:
    """An entry; of its personal fields the names alone, unless they are asked for."""
    found = asdict(one) | {"active": active}
    found["personal"] = dict(one.personal) if personal else sorted(one.personal)
    del found["committed"]
    return found


def facts(root: Path, engine: Engine, entries: Sequence[Entry]) -> dict[str, Any]:
    """What of new entries is in the dataset and the outputs; nothing where nothing is built."""
    if not entries or read_manifest(root / tables.LEDGER) is None:
        return dict(_NOTHING)
    wishes = opt_outs.of_entries(entries)
    places, total = opt_out_held.in_dataset(root, engine, wishes, 5)
    stays = opt_out_held.elsewhere(root, engine, wishes, 1)[1] if wishes.names else 0
    holdings = [asdict(one) for one in held_by(root, engine, wishes, entries).holdings]
    unknown = [one.subject for one in entries if not _is_known(root, one)]
    return {"in_dataset": places, "total": total, "elsewhere": stays, "holdings": holdings, "unknown": unknown}


def _is_known(root: Path, entry: Entry) -> bool:
    """Whether an entry is about something that is, or was, listed here: a mistyped name is about nothing."""
    if entry.scope not in ("owner", "repository"):
        return True
    wishes, former = opt_outs.of_entries([entry]), opt_out_held.names_of(root)
    return any(wishes.covering((name, *former.get(name, ()))) for name in opt_out_held.repositories(root))


def added(found: Added, known: Mapping[str, Any]) -> list[str]:
    """What `add` and `import` say."""
    lines = [_entry_line(one, "") for one in found.entries[:20]]
    if len(found.entries) > 20:
        lines.append(f"… and {counted(len(found.entries) - 20, 'more entries')}")
    lines += [printable(f"{subject} is opted out already (entry {entry})") for subject, entry in found.before[:20]]
    if not found.entries:
        return lines
    lines.append(f"in the dataset now: {counted(known['total'], 'files')}")
    for subject in known["unknown"][:20]:
        lines.append(printable(f"no repository here is called {subject}: one that comes will stay out"))
    lines += _stays(known["elsewhere"])
    lines += [_holding(one) for one in known["holdings"] if one["where"] in ("tokens", "model")]
    return [*lines, "next: starloom build, then index and pack where they are used; `starloom opt-out impact` tells"]


def _stays(number: int) -> list[str]:
    if not number:
        return []
    same = f"{counted(number, 'files')} of other repositories {'has' if number == 1 else 'have'} the same contents"
    return [f"{same}: they stay, they are theirs"]


def _entry_line(one: Entry, state: str) -> str:
    what = f"{one.action} " if one.action != "add" else ""
    about = f" of entry {one.of}" if one.of else f" ({one.scope}, {one.kind})"
    return printable(f"{one.number:>5}  {one.at[:10]}  {what}{one.subject}{about}{state}")


def log(found: Log, plain: str, lines: int, personal: bool) -> list[str]:
    """What `list` says."""
    gone = {one.number for one in found.withdrawn}
    said = []
    for one in found.entries:
        erased = sorted(set(one.committed) - set(one.personal))
        state = "  withdrawn" if one.number in gone else ""
        said.append(_entry_line(one, state))
        if one.personal and personal:
            said += [printable(f"       {name}: {value}") for name, value in sorted(one.personal.items())]
        if erased:
            said.append(f"       erased: {', '.join(erased)}")
    holds = "holds" if len(found.active) == 1 else "hold"
    said.append(f"{counted(len(found.active), 'opt-outs')} {holds}, of {counted(len(found.entries), 'entries')}")
    return [*said, f"{counted(lines, 'lines')} of {plain}"] if lines else said


def checked(root: Path, engine: Engine, plain: str, what: str, limit: int) -> dict[str, Any]:
    """What `check` finds. Raises UserError."""
    subject = _subject(root, what)
    contents = _contents(root, engine, subject)
    wishes = opt_outs.of(root, plain)
    one = Entry(0, "", "add", subject.text, subject.scope, "opt-out", contents)
    asked = opt_outs.of_entries([one])
    entry = None
    if subject.name:
        entry = wishes.covering((subject.name, *opt_out_held.names_of(root).get(subject.name, ())))
    if subject.scope == "file" and entry is None:
        entry = wishes.files.get((subject.name.lower(), subject.path))
    if entry is None:
        entry = next((wishes.contents[each] for each in contents if each in wishes.contents), None)
    found: dict[str, Any] = {"what": subject.text, "scope": subject.scope, "covered": entry is not None, "entry": entry}
    if read_manifest(root / tables.LEDGER) is None:
        return found | {
            "in_dataset": [],
            "total": 0,
            "elsewhere": [],
            "elsewhere_total": 0,
            "built": False,
            "known": False,
        }
    places, total = opt_out_held.in_dataset(root, engine, asked, limit)
    others, more = opt_out_held.elsewhere(root, engine, asked, limit) if asked.names else ([], 0)
    for row in places:
        del row["entry"]
    return found | {
        "in_dataset": places,
        "total": total,
        "elsewhere": others,
        "elsewhere_total": more,
        "built": True,
        "known": _is_known(root, one),
    }


def _subject(root: Path, what: str) -> Subject:
    """What is meant: a file on this machine by its content, else a subject."""
    path = Path(what)
    try:
        if not path.is_file():
            return parse(what, opt_out_held.Called(root))
        if path.stat().st_size > _MOST:
            raise UserError(f"{path} has more than {_MOST:,} bytes", "give its content id: `git hash-object`")
        return parse(content_id(path.read_bytes()))
    except (OSError, ValueError) as problem:
        raise UserError(f"{printable(what)}: {problem}", "give a subject, or a file that can be read") from None


def _contents(root: Path, engine: Engine, subject: Subject) -> tuple[str, ...]:
    if subject.scope == "content":
        return (subject.content_id,)
    if subject.scope != "file" or read_manifest(root / tables.LISTING) is None:
        return ()
    return opt_out_held.contents_at(root, engine, subject.text)


def check(found: Mapping[str, Any]) -> list[str]:
    """What `check` says."""
    covered = f"opted out by {found['entry']}" if found["covered"] else "not opted out"
    lines = [printable(f"{found['what']} ({found['scope']}): {covered}")]
    if not found["built"]:
        return [*lines, "nothing is built here yet"]
    if not found["known"]:
        lines.append("no repository here has that name; a file is meant by OWNER/NAME:PATH")
    lines.append(f"in the dataset now: {counted(found['total'], 'files')}")
    lines += _places(found["in_dataset"], found["total"])
    if found["elsewhere_total"]:
        lines += _stays(found["elsewhere_total"])
        lines += _places(found["elsewhere"], found["elsewhere_total"])
    if found["covered"] and found["total"]:
        lines.append("the next `starloom build` takes them out")
    return lines


def _places(rows: Sequence[Mapping[str, Any]], total: int) -> list[str]:
    lines = [printable(f"    {row['repo_name']}:{row['path']}") for row in rows]
    return [*lines, f"    … and {total - len(rows):,} more"] if total > len(rows) else lines


def impacted(root: Path, engine: Engine, plain: str, number: int | None, limit: int) -> dict[str, Any]:
    """What `impact` finds. Raises UserError."""
    wishes = opt_out_held.one_entry(root, plain, number)
    found = held_by(root, engine, wishes, entries_of(root, number))
    built = read_manifest(root / tables.LEDGER) is not None
    twins = opt_out_held.twins(root, engine, wishes) if built else []
    return {
        "entry": number,
        "holdings": [asdict(one) for one in found.holdings],
        "unknown_runs": list(found.unknown),
        "left": dict(found.left),
        "near_twins": [asdict(one) for one in twins[:limit]],
        "near_twins_total": len(twins),
    }


def impact(found: Mapping[str, Any]) -> list[str]:
    """What `impact` says."""
    lines = [_holding(one) for one in found["holdings"]] or ["nothing here holds anything that is opted out"]
    lines += [f"model {name}: nobody can tell, its tokens are no longer here" for name in found["unknown_runs"]]
    if found["near_twins_total"]:
        lines.append(f"near-twins of it in the dataset: {counted(found['near_twins_total'], 'files')}")
        for one in found["near_twins"]:
            alike = "similarity not verified" if one["jaccard"] is None else f"Jaccard {one['jaccard']:.2f}"
            lines.append(printable(f"    {one['repo_name']}:{one['path']}  {alike} to {one['entry']}"))
    again = dict.fromkeys(AGAIN[one["where"]] for one in found["holdings"] if one["where"] in AGAIN)
    lines += [f"made again without it by: {', '.join(again)}"] if again else []
    return [*lines, *_left(found["left"])]


def _left(found: Mapping[str, int]) -> list[str]:
    """Of indexes that files have left, whatever for."""
    if not found:
        return []
    files = ", ".join(f"{counted(number, 'files')} of {name}" for name, number in found.items())
    return [
        f"gone: {files}; no answer names them, but which words or hashed stretches they had is in the tables until "
        f"`starloom clean {' '.join(found)} && starloom index`"
    ]


def _holding(one: Mapping[str, Any]) -> str:
    counts = [counted(one["files"], "files")] if one["files"] is not None else []
    if one["documents"] is not None:
        counts += [counted(one["documents"], "documents"), counted(one["tokens"], "tokens")]
    if one["where"] in ("tokens", "model") and counts:
        counts[0] = counted(one["files"], "contents")
    name = one["where"] if one["name"] == one["where"] else f"{one['where']} {one['name']}"
    said = ", ".join([*counts, *([one["note"]] if one["note"] else [])])
    return printable(f"{name}: {said}; {one['entry']}")


def purged(going: Sequence[Going], plan: Plan, held: Impact, less: int, dry_run: bool) -> dict[str, Any]:
    """What `purge` did, or would do."""
    return {
        "dry_run": dry_run,
        "erased": [asdict(one) for one in going],
        "bytes": sum(one.bytes for one in going),
        "cache_bytes_less": less,
        "stays": [{"repo_name": name, "location": location} for name, location in plan.stays],
        "models": sorted({one.name for one in held.holdings if one.where == "model"}),
        "left": {name: number for name, number in held.left.items() if name not in held.outputs},
    }


def purge(found: Mapping[str, Any]) -> list[str]:
    """What `purge` says."""
    lines = [printable(f"{human(one['bytes'], 'bytes'):>9}  {one['what']}: {one['name']}") for one in found["erased"]]
    done = "would erase" if found["dry_run"] else "erased"
    lines.append(f"{done} {human(found['bytes'], 'bytes')}" if lines else "nothing to erase")
    for one in found["stays"]:
        lines.append(printable(f"stays in the source itself: {one['repo_name']} ({one['location']})"))
    lines += [f"stays: model {name}" for name in found["models"]]
    lines += _left(found["left"])
    if any(one["what"] == "output" for one in found["erased"]):
        lines.append("next: starloom build, then index, pack and report where they are used")
    return lines
