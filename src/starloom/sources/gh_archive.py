"""GH Archive's hourly files to one row per GitHub repository: stars, forks, licence, names, at a cut-off.

Counted as the code behind The Stack v2 does: every WatchEvent is a star (taking one back is no event), every ForkEvent
a fork; the newest event that describes the repository says the rest, one that states a licence before one without.
Repositories are known by their id: the newest name counts, the others are `former_names`. Events without an id (the
Timeline form) go to the first id seen under their name; where there is none the row has no `github_id`.

Two steps: each hour to narrow rows (`gh_archive_events`, kept by name, size and time of the file), then SQL on the
engine. A file that is damaged costs its hour, named, and is tried again the next time. Not covered: stars taken back,
repositories deleted and made again with the same id-less events, events of people (`FollowEvent`) and gists.
"""

import glob
import hashlib
import os
import re
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from starloom import progress
from starloom.errors import UserError
from starloom.sources.aside import publish
from starloom.sources.gh_archive_events import EVENTS, VERSION, Hour, read_hour, told
from starloom.sources.repository import Place, RepositoryProblem

ADDRESS = "https://data.gharchive.org"
FIRST_HOUR = datetime(2011, 2, 12, tzinfo=UTC)
MAX_FILE = 4 << 30  # bytes of a downloaded hour; real ones have below 0.3 GB
PARALLEL = 4  # downloads at a time
_HOUR = re.compile(r"(\d{4})-(\d\d)-(\d\d)-(\d{1,2})\.json(?:\.gz)?")
_RANGE = re.compile(r"gharchive:(\S+?)\.\.(\S+)")
_ACCEPTED = (
    "a folder of hourly files (2023-01-01-0.json.gz), one of them, a pattern, or gharchive:2023-01-01..2023-01-31"
)

_TIME = pa.timestamp("us", "UTC")
REPOSITORIES = pa.schema(
    [
        ("github_id", pa.int64()),
        pa.field("repo_name", pa.string(), nullable=False),  # the newest
        ("name_key", pa.string()),  # it in lower case, unique; null where another repository has had the name since
        pa.field("former_names", pa.list_(pa.string()), nullable=False),  # newest first
        pa.field("star_events_count", pa.int64(), nullable=False),
        pa.field("fork_events_count", pa.int64(), nullable=False),
        ("gha_license_id", pa.string()),  # SPDX; NOASSERTION: there is one, GitHub cannot tell which
        ("gha_event_created_at", _TIME),  # of the event that this and the next five are from
        ("gha_created_at", _TIME),
        ("gha_updated_at", _TIME),
        ("gha_pushed_at", _TIME),
        ("gha_language", pa.string()),
        ("is_fork", pa.bool_()),
        ("default_branch", pa.string()),
    ]
)

_SQL = """
WITH
-- The first id seen under each name: whom the events without an id belong to.
first_ids AS (
  SELECT name_key, github_id FROM (
    SELECT lower(repo_name) AS name_key, github_id,
      row_number() OVER (PARTITION BY lower(repo_name) ORDER BY min(created_at), github_id) AS place
    FROM events WHERE github_id IS NOT NULL AND created_at < $until GROUP BY lower(repo_name), github_id
  ) WHERE place = 1
),
-- A name holds a slash, so it is never equal to a number.
known AS (
  SELECT e.*, lower(e.repo_name) AS name_key, coalesce(e.github_id, f.github_id) AS id,
    coalesce(CAST(coalesce(e.github_id, f.github_id) AS VARCHAR), lower(e.repo_name)) AS repo_key
  FROM events e LEFT JOIN first_ids f ON e.github_id IS NULL AND f.name_key = lower(e.repo_name)
  WHERE e.created_at < $until
),
counts AS (
  SELECT repo_key, min(id) AS github_id, max(created_at) AS last_at,
    count(CASE WHEN kind = 'star' THEN 1 END) AS stars, count(CASE WHEN kind = 'fork' THEN 1 END) AS forks,
    max(CASE WHEN kind = 'forkee' THEN 1 END) AS forked
  FROM known GROUP BY repo_key
),
spellings AS (
  SELECT repo_key, name_key, repo_name, max(created_at) AS last_at, max(coalesce(event_id, 0)) AS last_id
  FROM known GROUP BY repo_key, name_key, repo_name
),
names AS (
  SELECT *, row_number() OVER (PARTITION BY repo_key ORDER BY last_at DESC, last_id DESC, repo_name) AS place FROM (
    SELECT *,
      row_number() OVER (PARTITION BY repo_key, name_key ORDER BY last_at DESC, last_id DESC, repo_name) AS spelling
    FROM spellings
  ) WHERE spelling = 1
),
former AS (
  SELECT repo_key, array_agg(repo_name ORDER BY last_at DESC, last_id DESC, repo_name) AS former_names
  FROM names WHERE place > 1 GROUP BY repo_key
),
descriptions AS (
  SELECT * FROM (
    SELECT *, row_number() OVER (PARTITION BY repo_key ORDER BY license_stated DESC, created_at DESC,
      event_id DESC NULLS LAST, kind, repo_pushed_at DESC NULLS LAST, repo_updated_at DESC NULLS LAST,
      license_id NULLS LAST, language NULLS LAST, repo_name) AS place
    FROM known WHERE described
  ) WHERE place = 1
),
branches AS (
  SELECT repo_key, default_branch FROM (
    SELECT repo_key, default_branch,
      row_number() OVER (PARTITION BY repo_key ORDER BY max(created_at) DESC, default_branch) AS place
    FROM known WHERE default_branch IS NOT NULL GROUP BY repo_key, default_branch
  ) WHERE place = 1
)
SELECT c.github_id, n.repo_name,
  CASE WHEN row_number() OVER (PARTITION BY n.name_key ORDER BY n.last_at DESC, c.github_id DESC NULLS LAST) = 1
    THEN n.name_key END AS name_key,
  coalesce(f.former_names, CAST([] AS VARCHAR[])) AS former_names,
  c.stars AS star_events_count, c.forks AS fork_events_count,
  d.license_id AS gha_license_id, d.created_at AS gha_event_created_at, d.repo_created_at AS gha_created_at,
  d.repo_updated_at AS gha_updated_at, d.repo_pushed_at AS gha_pushed_at, d.language AS gha_language,
  coalesce(d.is_fork, CASE WHEN c.forked = 1 THEN true END) AS is_fork, b.default_branch
FROM counts c JOIN names n ON n.repo_key = c.repo_key AND n.place = 1
  LEFT JOIN former f ON f.repo_key = c.repo_key
  LEFT JOIN descriptions d ON d.repo_key = c.repo_key
  LEFT JOIN branches b ON b.repo_key = c.repo_key
ORDER BY n.name_key, n.last_at DESC, c.github_id DESC NULLS LAST
"""


@dataclass(frozen=True)
class GhArchiveSettings:
    """`[gh_archive]` of starloom.toml: stars, forks and licences from GitHub's public events."""

    path: str = ""  # a folder of hourly files, one of them, a pattern, or gharchive:FIRST..LAST; "": none is read
    until: str = ""  # events before this date (ISO 8601, UTC) count; "": all of them
    address: str = ADDRESS  # where gharchive: is fetched from

    def __post_init__(self) -> None:
        _until(self)
        if found := _RANGE.fullmatch(self.path):
            _hours_of(found[1], found[2])
        elif self.path.startswith("gharchive:"):
            raise UserError(f"[gh_archive] path = {self.path!r} is no range of hours", f"use {_ACCEPTED}")


def gh_archive_urls(first: datetime, last: datetime, address: str = ADDRESS) -> list[str]:
    """The hourly files from the hour of `first` to that of `last`, both included.

    >>> gh_archive_urls(datetime(2015, 1, 1, 9, tzinfo=UTC), datetime(2015, 1, 1, 10, tzinfo=UTC))[0]
    'https://data.gharchive.org/2015-01-01-9.json.gz'
    """
    first, last = (one.astimezone(UTC).replace(minute=0, second=0, microsecond=0) for one in (first, last))
    count = (last - first) // timedelta(hours=1) + 1
    return [f"{address.rstrip('/')}/{_name(first + timedelta(hours=number))}" for number in range(max(count, 0))]


def state(settings: GhArchiveSettings) -> str:
    """A token that changes whenever what `prepare` gives could: no file is opened. "" where none is read."""
    if not settings.path:
        return ""
    if _RANGE.fullmatch(settings.path):
        files = [settings.path, settings.address]
    else:
        files = [f"{file} {status.st_size} {status.st_mtime_ns}" for file, status in _local(settings.path)]
    return "gh_archive:" + _digest([str(VERSION), _SQL, settings.until, *files])


def prepare(settings: GhArchiveSettings, place: Place) -> tuple[Path, list[RepositoryProblem]]:
    """The Parquet file of REPOSITORIES, and what could not be used. Goes on where a killed one stopped."""
    until = _until(settings)
    folder = place.folder / "gh_archive"
    (folder / "events").mkdir(parents=True, exist_ok=True)
    files, problems = _files(settings, folder, until)
    hours = [_hour(folder, file, status) for file, status in files]
    before = [hour for hour in hours if Path(hour.rows).is_file()]
    for hour in before:
        problems += told(hour)
    new = [hour for hour in hours if not Path(hour.rows).is_file()]
    with progress.task("gh archive", len(new), "hours") as bar:
        for _, found in place.engine.map(read_hour, new):
            problems += found
            bar.advance(1)
    rows = [Path(hour.rows) for hour in hours if Path(hour.rows).is_file()]
    target = folder / "repositories.parquet"
    made_of = _digest([str(VERSION), _SQL, str(until), *(path.name for path in rows)])
    if not target.is_file() or token(target) != made_of:
        _write(target, made_of, rows, until, place)
    return target, sorted(problems, key=lambda one: (one.location, one.reason))


def prepared(place: Place) -> Path | None:
    """What the last `prepare` wrote, whatever its settings; None where there is nothing yet."""
    path = place.folder / "gh_archive" / "repositories.parquet"
    return path if path.is_file() else None


def token(path: Path) -> str:
    """What a file that `prepare` wrote was made of: another token, other rows."""
    return str((pq.read_metadata(path).metadata or {}).get(b"starloom", b"").decode())


def read_repositories(path: Path) -> pa.Table:
    """The rows that `prepare` wrote, whole."""
    return pq.read_table(path, schema=REPOSITORIES)


def _write(target: Path, made_of: str, rows: list[Path], until: datetime | None, place: Place) -> None:
    aside = target.with_suffix(".aside")
    tables = {"events": rows or EVENTS.empty_table()}
    with (
        pq.ParquetWriter(aside, REPOSITORIES, compression="zstd") as writer,
        place.engine.query(_SQL, tables, {"until": until or datetime(9999, 1, 1, tzinfo=UTC)}) as found,
    ):
        for batch in found:
            writer.write_table(pa.Table.from_batches([batch]).cast(REPOSITORIES))
        writer.add_key_value_metadata({"starloom": made_of})
    publish(aside, target)


def _hour(folder: Path, file: Path, status: os.stat_result) -> Hour:
    """Its rows are kept under what makes it this file: another size or time is another file."""
    key = _digest([str(VERSION), str(file), str(status.st_size), str(status.st_mtime_ns)])[:16]
    return Hour(str(file), str(folder / "events" / f"{file.name.partition('.')[0]}-{key}.parquet"))


def _files(
    settings: GhArchiveSettings, folder: Path, until: datetime | None
) -> tuple[list[tuple[Path, os.stat_result]], list[RepositoryProblem]]:
    """The hourly files that can hold something before `until`, each hour once; those of a range are fetched first."""
    problems: list[RepositoryProblem] = []
    if found := _RANGE.fullmatch(settings.path):
        first, last = _hours_of(found[1], found[2])
        urls = gh_archive_urls(first, min(last, until) if until else last, settings.address)
        fetched, problems = _fetch(urls, folder / "hours")
        listed = [(path, path.stat()) for path in fetched]
    else:
        listed = _local(settings.path)
    files: dict[str, tuple[Path, os.stat_result]] = {}
    for path, status in listed:
        at = _time_of(path.name)
        if until is not None and at is not None and at > until:
            continue
        stem = path.name.partition(".")[0] if at else str(path)
        if stem in files:
            reason = f"the same hour as {files[stem][0]}: left out"
            problems.append(RepositoryProblem(str(path), reason, "keep one of the two"))
        else:
            files[stem] = path, status
    return list(files.values()), problems


def _local(text: str) -> list[tuple[Path, os.stat_result]]:
    """The files that `text` names, sorted, with their status. Raises UserError where there are none."""
    path = Path(text).expanduser()
    try:
        if path.is_dir():
            names = [
                Path(folder, name) for folder, _, inner in os.walk(path) for name in inner if _HOUR.fullmatch(name)
            ]
        elif path.is_file():
            names = [path]
        else:
            names = [one for one in map(Path, glob.glob(str(path), recursive=True)) if one.is_file()]  # noqa: PTH207
        found = [(name.absolute(), name.stat()) for name in sorted(names)]
    except OSError as problem:
        raise UserError(f"[gh_archive] path = {text!r}: {problem.strerror}", f"use {_ACCEPTED}") from None
    if not found:
        raise UserError(f"[gh_archive] path = {text!r}: no hourly files there", f"use {_ACCEPTED}")
    return found


def _fetch(urls: list[str], folder: Path) -> tuple[list[Path], list[RepositoryProblem]]:
    """What is there and what is not (the archive has gaps); finished files are not asked for again."""
    from starloom.outside.download import download
    from starloom.outside.http import Http, HttpError, shown

    folder.mkdir(parents=True, exist_ok=True)
    targets = {url: folder / url.rpartition("/")[2] for url in urls}
    missing = [url for url, target in targets.items() if not target.is_file()]
    problems: list[RepositoryProblem] = []
    with Http() as http, progress.task("fetch gh archive", len(missing), "hours") as bar:

        def one(url: str) -> RepositoryProblem | None:
            try:
                download(http, url, targets[url], limit=MAX_FILE)
            except HttpError as problem:
                return RepositoryProblem(
                    shown(url), f"not fetched: {problem}", "run the same command again; some hours are not there"
                )
            return None

        with ThreadPoolExecutor(PARALLEL) as pool:
            for problem in pool.map(one, missing):
                problems += [problem] if problem else []
                bar.advance(1)
    return [target for target in targets.values() if target.is_file()], problems


def _until(settings: GhArchiveSettings) -> datetime | None:
    if not settings.until:
        return None
    try:
        found = datetime.fromisoformat(settings.until)
    except ValueError:
        raise UserError(f"[gh_archive] until = {settings.until!r} is no date", "write it as 2023-09-06") from None
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _hours_of(first: str, last: str) -> tuple[datetime, datetime]:
    """The hours of a range; a day as its end means its last hour."""
    ends = [_time_of(f"{text}-0.json" if text.count("-") == 2 else f"{text}.json") for text in (first, last)]
    start, end = ends
    if start is None or end is None or start < FIRST_HOUR or end < start:
        raise UserError(f"[gh_archive] path: {first}..{last} is no range of hours since 2011-02-12", f"use {_ACCEPTED}")
    return start, end if last.count("-") == 3 else end + timedelta(hours=23)


def _name(hour: datetime) -> str:
    return f"{hour:%Y-%m-%d}-{hour.hour}.json.gz"


def _time_of(name: str) -> datetime | None:
    """The hour that a file is named for."""
    found = _HOUR.fullmatch(name)
    try:
        return datetime(*map(int, found.groups()), tzinfo=UTC) if found else None  # type: ignore[misc,arg-type]
    except ValueError:
        return None


def _digest(parts: Iterable[str]) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()
