"""`swh:EXPORT`: repositories of the Software Heritage archive, out of one of its graph exports.

EXPORT is a folder or `s3://bucket/prefix` (see `export`). It is prepared once: narrow copies of its tables (on every
core), then SQL on the engine (`heads`, `walk`, `contents`) to a prepared listing under `swh/` of the place; a killed
run goes on with the copies that are there. Another `select`, main-branch rule, list of files or VERSION is another one.
Contents are fetched one by one when they are read (`store`), under the archive's terms (`terms`).

Never run against the live archive: tests make exports of local git repositories with its schemas and serve them by a
real S3 protocol server. Disk: about what the chosen columns take, twice. GitHub's default branch, stars and licences
are asked of its events where they are given. Not covered: the whole archive on one machine.
"""

import hashlib
import json
import re
import shutil
import urllib.parse
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from starloom import progress
from starloom.errors import UserError
from starloom.outside.http import HttpSettings
from starloom.outside.object_store import open_store
from starloom.outside.paths import printable
from starloom.sources import gh_archive
from starloom.sources.git.url import name_from_url
from starloom.sources.prepared import is_prepared, read_prepared, write_prepared
from starloom.sources.repository import Opened, Place, Repository, RepositoryProblem, SourceError, SourceSettings
from starloom.sources.software_heritage.contents import listing
from starloom.sources.software_heritage.export import Export, copied, copy_file, copy_items, find_export
from starloom.sources.software_heritage.heads import ORDERS, SAME, find_heads
from starloom.sources.software_heritage.steps import Steps
from starloom.sources.software_heritage.terms import TERMS, check_terms, contents_url, is_public, reader
from starloom.sources.software_heritage.walk import walk

VERSION = 1


class ArchiveExport:
    """An export that is not prepared yet, or may have changed. `url` is an absolute path, or s3://…"""

    def __init__(self, url: str, settings: SourceSettings) -> None:
        self.url = url
        self.settings = settings
        self.location = f"swh:{url}" + (f" ({settings.select}…)" if settings.select else "")
        self.repo_name: str | None = None
        self.alone = True

    def fetch(self, place: Place) -> None:
        """Prepares it. Raises SourceError where it cannot be read, UserError where its terms are not met."""
        export = find_export(self.url)
        home, key = _home(place, self.url, self.settings), _key(export)
        target = home / f"prepared-{key}"
        if not is_prepared(target):
            if is_public(contents_url(self.settings)) or is_public(self.url):
                progress.say(TERMS)
            work = home / f"work-{key}"
            _prepare(export, self.settings, place, work, target)
            shutil.rmtree(work)
        for old in home.iterdir():
            if old != target:
                shutil.rmtree(old, ignore_errors=True)
        check_terms(self.settings, place, target)


def open_archive_export(text: str, settings: SourceSettings, place: Place) -> Opened:
    """What `swh:TEXT` stands for: its prepared repositories, else the export as something to be fetched.

    Uses no network. Raises UserError where `text` is no export, or the archive's terms are not met.
    """
    url = _url(text)
    home = _home(place, url, settings)
    open_store(contents_url(settings), settings=HttpSettings()).close()  # refuses what is no store
    if "://" in url:  # an export on S3 is listed when it is prepared, and never changes under its name
        found = None if place.update else next(iter(sorted(home.glob("prepared-*"))), None)
    else:
        try:
            found = home / f"prepared-{_key(find_export(url))}"
        except SourceError as failure:
            raise UserError(f"{failure.problem.location}: {failure.problem.reason}", failure.problem.hint) from None
    if found is None or not is_prepared(found):
        return Opened([], [], [ArchiveExport(url, settings)])
    check_terms(settings, place, found)
    return read_prepared(found, reader(settings, place), settings.rights)


def _url(text: str) -> str:
    hint = "give a folder or s3://BUCKET/PREFIX: `swh:s3://BUCKET/graph/DATE/orc`"
    if text.startswith("s3://"):
        parts = urllib.parse.urlsplit(text)
        if not parts.hostname or parts.username or parts.password or parts.query or parts.fragment:
            raise UserError(f"{_shown(text)} is no s3://BUCKET/PREFIX", hint)
        return text.rstrip("/")
    if "://" in text or not text:
        raise UserError(f"swh:{_shown(text)}: an export is a folder or on S3", hint)
    path = Path(text).expanduser()
    if not path.is_dir():
        raise UserError(f"{printable(text)} is no folder", hint)
    return str(path.resolve())


def _home(place: Place, url: str, settings: SourceSettings) -> Path:
    if place.main_branch not in ORDERS:
        raise UserError(f"main_branch `{place.main_branch}` is not known", f"one of: {', '.join(ORDERS)}")
    events = gh_archive.token(place.github) if place.github else ""
    asked = json.dumps([VERSION, url, settings.select, place.main_branch, events])
    return place.folder / "swh" / hashlib.sha256(asked.encode()).hexdigest()[:16]


def _key(export: Export) -> str:
    files = json.dumps([[file.path, file.size] for file in export.files])
    return hashlib.sha256(files.encode()).hexdigest()[:16]


def _prepare(export: Export, settings: SourceSettings, place: Place, work: Path, target: Path) -> None:
    copies, rows = work / "copies", work / "rows"
    shutil.rmtree(rows, ignore_errors=True)  # of a killed run: the copies are kept, the joins made again
    rows.mkdir(parents=True)
    items = copy_items(export, copies, settings.select)
    wild = 0
    with progress.task("copy tables of the export", sum(item.file.size for item in items)) as bar:
        for item, count in place.engine.map(copy_file, items):
            wild += count
            bar.advance(item.file.size)
    if wild:
        progress.say(f"  {progress.counted(wild, 'dates')} of the export are in no calendar: taken as unknown")
    tables, steps = copied(export, copies), Steps(place.engine, rows)
    with progress.task("find main revisions", None, "repositories"):
        heads = find_heads(steps, tables, place.main_branch, place.github)
        known = place.engine.table("SELECT * FROM heads ORDER BY number, origin", {"heads": heads}).to_pylist()
    roots = [row for row in known if row["number"] is not None]
    problems = [_problem(row["origin"], row["problem"]) for row in known if row["number"] is None]
    with progress.task("walk directories", None, "paths") as bar:
        walked = walk(steps, tables, heads, len(roots), bar)
    problems += [_problem(roots[number]["origin"], reason) for number, reason in sorted(walked.dropped.items())]
    kept = [row for row in roots if row["number"] not in walked.dropped]
    with (
        progress.task("join contents", None, "paths"),
        listing(steps, tables, walked.paths, [row["number"] for row in kept]) as files,
    ):
        write_prepared(target, [_repository(row) for row in kept], files, problems)


def _repository(row: dict[str, Any]) -> Repository:
    url = _shown(row["origin"])
    return Repository(
        repo_name=_name(row["origin"]),
        kind="archived",
        location=url,
        rights="",  # the user's to say, whenever it is read
        revision_id=row["revision_id"],
        directory_id=row["directory_id"],
        branch_name=None if row["branch_name"] is None else row["branch_name"].decode("utf-8", "backslashreplace"),
        revision_date=_time(row["revision_date"]),
        committer_date=_time(row["committer_date"]),
        url=url,
        snapshot_id=row["snapshot"],
        visit_date=_time(row["visit_date"]),
    )


def _name(origin: str) -> str:
    return name_from_url(origin) or _shown(origin).partition("://")[2] or _shown(origin)


def _problem(origin: str, reason: str) -> RepositoryProblem:
    same = reason.startswith(SAME)
    return RepositoryProblem(
        location=_shown(origin),
        reason=printable(reason),
        hint="nothing to do: its files are listed there, once" if same else None,
        repo_name=_name(origin),
        rule="same-root-directory" if same else "repository",
    )


def _shown(origin: str) -> str:
    """For people, without credentials; an origin's query is part of its name."""
    return printable(re.sub(r"//[^/@]*@", "//", origin))


def _time(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
