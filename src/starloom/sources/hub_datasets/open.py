"""`dataset:PATH` and `hub:OWNER/NAME[@REVISION]`: data sets of code that exist already, read as repositories.

PATH is a folder or file of Parquet or JSON lines (gzipped or not) in the columns of The Stack v1, v2 or v3, of our own
dataset, or any with a `content`; which one is told by the columns (`shape`). A data set with ids only needs `contents`:
where its contents lie by plain SHA-1. A row without a repository belongs to one that is named after the data set.

Opening looks at names, sizes and times of the files; whatever changed there is prepared anew (`prepare`), below
`datasets/` of the place. From the Hub comes the snapshot of one revision, which stays until `update`.
"""

import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

from starloom.errors import UserError
from starloom.outside import hub
from starloom.outside.paths import printable, text_path
from starloom.sources.hub_datasets.packs import DatasetReader
from starloom.sources.hub_datasets.prepare import NOT_UNDERSTOOD, prepare, shapes_of
from starloom.sources.prepared import ContentReader, is_prepared, read_prepared
from starloom.sources.repository import Opened, Place, RepositoryProblem, SourceError, SourceSettings

VERSION = 1
PATTERNS = ("*.parquet", "*.jsonl", "*.jsonl.gz", "*.ndjson", "*.ndjson.gz", "README.md")
_HUB = re.compile(
    r"hub:([A-Za-z0-9][A-Za-z0-9._-]{0,95}/[A-Za-z0-9][A-Za-z0-9._-]{0,95})(?:@([A-Za-z0-9][\w./-]{0,199}))?"
)
_DATA = re.compile(r".*\.(?:parquet|(?:jsonl|ndjson)(?:\.gz)?)", re.IGNORECASE)
_MOST_LOOKED_AT = 50  # files whose columns are looked at before anything is prepared


@dataclass
class Dataset:
    """A data set that is not prepared yet, or may have changed on the Hub."""

    location: str
    settings: SourceSettings
    repo_name: str | None = None
    alone: bool = True

    def fetch(self, place: Place) -> None:
        """Fetches it from the Hub where it is there, and prepares it. Raises SourceError, UserError where what is asked
        for cannot be done."""
        if found := _HUB.fullmatch(self.location):
            target = _snapshot(self.location, place)
            if place.update or hub.fetched(target) is None:
                try:
                    hub.snapshot(found[1], target, found[2], PATTERNS)
                except hub.HubError as problem:
                    raise SourceError(RepositoryProblem(self.location, str(problem), problem.hint)) from None
        files = _files(self.location, place)
        home, key = _home(self.location, self.settings, place), _key(files)
        folder = home / key
        if not is_prepared(folder / "listing"):
            _check_columns(self.location, files, self.settings)
            prepare(
                [(name, path) for name, path, _ in files],
                _name(self.location),
                self.location,
                folder,
                folder / "listing",
                place,
            )
        for old in home.iterdir():
            if old != folder:
                shutil.rmtree(old, ignore_errors=True)
        _check_terms(self.settings, place, folder / "listing")


def open_dataset(text: str, settings: SourceSettings, place: Place) -> Opened:
    """What a data set stands for: its prepared repositories, else itself as something to be fetched. Uses no network.

    `text`: a path, or `hub:OWNER/NAME`. Raises UserError where there is no data set, or one that is not understood.
    """
    if text.startswith("hub:"):
        if not _HUB.fullmatch(text):
            raise UserError(
                f"{printable(text)} names no data set on the Hub",
                "write it as hub:OWNER/NAME or hub:OWNER/NAME@REVISION",
            )
        location = text
        if place.update or hub.fetched(_snapshot(location, place)) is None:
            return Opened([], [], [Dataset(location, settings)])
    else:
        location = os.path.realpath(Path(text).expanduser())
    files = _files(location, place)
    folder = _home(location, settings, place) / _key(files)
    if not is_prepared(folder / "listing"):
        _check_columns(location, files, settings)
        return Opened([], [], [Dataset(location, settings)])
    _check_terms(settings, place, folder / "listing")
    try:
        return read_prepared(folder / "listing", DatasetReader(str(folder), _store(settings, place)), settings.rights)
    except SourceError as failure:
        return Opened([], [failure.problem])


def _snapshot(location: str, place: Place) -> Path:
    """Where a snapshot from the Hub lies."""
    name = location.removeprefix("hub:").replace("/", "--")
    return place.folder / "datasets" / "hub" / name


def _home(location: str, settings: SourceSettings, place: Place) -> Path:
    asked = json.dumps([VERSION, location, settings.contents])
    return place.folder / "datasets" / hashlib.sha256(asked.encode()).hexdigest()[:16]


def _key(files: list[tuple[str, Path, os.stat_result]]) -> str:
    seen = json.dumps([[name, status.st_size, status.st_mtime_ns] for name, _, status in files])
    return hashlib.sha256(seen.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def _name(location: str) -> str:
    """What a repository is called that has no other name."""
    if found := _HUB.fullmatch(location):
        return found[1]
    name = location.rpartition("/")[2]
    return name.partition(".")[0] if _DATA.fullmatch(name) else name or "dataset"


def _files(location: str, place: Place) -> list[tuple[str, Path, os.stat_result]]:
    """(name below the data set, path, status) of its data files, sorted. Raises UserError where there are none."""
    root = _snapshot(location, place) if location.startswith("hub:") else Path(location)
    found: list[tuple[str, Path, os.stat_result]] = []
    try:
        if root.is_dir():
            for folder, inner, names in os.walk(root):
                inner[:] = sorted(name for name in inner if not name.startswith("."))
                paths = (Path(folder, name) for name in names if _DATA.fullmatch(name) and not name.startswith("."))
                found += [(text_path(os.fsencode(path.relative_to(root))), path, path.stat()) for path in paths]
        else:
            found = [(root.name, root, root.stat())] if _DATA.fullmatch(root.name) else []
    except OSError as problem:
        raise UserError(
            f"{printable(location)}: {problem.strerror}", "give a folder or file that you can read"
        ) from None
    if not found:
        raise UserError(
            f"{printable(location)}: no data set: no Parquet files and no JSON lines there",
            f"its files are known by their names: {', '.join(PATTERNS[:-1])}",
        )
    return sorted(found)


def _check_columns(location: str, files: list[tuple[str, Path, os.stat_result]], settings: SourceSettings) -> None:
    """Raises UserError where no file is understood, or contents are needed and not given. Looks at one file of each
    folder, then at others, until one has contents; the rest is looked at when it is prepared."""
    first = {path.parent: (name, path) for name, path, _ in reversed(files)}
    others = ((name, path) for name, path, _ in files if (name, path) not in first.values())
    ids_only, problems = False, []
    for one in islice(chain(first.values(), others), _MOST_LOOKED_AT):
        shapes, found = shapes_of([one])
        problems += [problem for problem in found if problem.reason.startswith(NOT_UNDERSTOOD)]
        ids_only |= bool(shapes)
        if any(shape.inline for shape in shapes.values()):
            return
    if ids_only and not settings.contents:
        raise UserError(
            f"{printable(location)} has ids of contents, not the contents",
            'say where they lie by plain SHA-1: `contents = "s3://…"`, "https://…" or a folder, at this source',
        )
    if problems and not ids_only:
        raise UserError(f"{printable(problems[0].location)}: {printable(problems[0].reason)}", problems[0].hint)


def _store(settings: SourceSettings, place: Place) -> ContentReader | None:
    if not settings.contents:
        return None
    from starloom.sources.software_heritage.terms import reader

    return reader(settings, place)


def _check_terms(settings: SourceSettings, place: Place, listing: Path) -> None:
    """The archive's terms hold whoever names its contents."""
    if settings.contents:
        from starloom.sources.software_heritage.terms import check_terms as check

        check(settings, place, listing)
