"""Software Heritage graph exports made of local git repositories: the archive's tables and columns, ORC or Parquet.

Columns and types are those of `swh/export/relational.py`; ids are made by `swh.model`, and its directory ids must be
git's tree ids. Targets are hex, those of aliases too. Hostile rows are put into `rows` by hand.
"""

import gzip
import hashlib
import pickle
import subprocess
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.orc as orc
import pyarrow.parquet as pq
from swh.model.hashutil import MultiHash
from swh.model.model import Directory, DirectoryEntry, Snapshot, SnapshotBranch, SnapshotTargetType

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.sources.repository import Place, SourceSettings
from starloom.sources.software_heritage.archive import open_archive_export

_S, _B, _I64, _I32, _I16 = pa.string(), pa.binary(), pa.int64(), pa.int32(), pa.int16()
_SEEN, _STATED = pa.timestamp("us"), pa.timestamp("s")  # of the archive; of a commit, which may say anything
_WIDE = pa.struct([("seconds", pa.int64()), ("microseconds", pa.uint32())])  # a commit's time in the Parquet form
TABLES = {
    "origin": {"id": _S, "url": _S},
    "origin_visit": {"origin": _S, "visit": _I64, "date": _SEEN, "type": _S},
    "origin_visit_status": {"origin": _S, "visit": _I64, "date": _SEEN, "status": _S, "snapshot": _S, "type": _S},
    "snapshot": {"id": _S},
    "snapshot_branch": {"snapshot_id": _S, "name": _B, "target": _S, "target_type": _S},
    "revision": {
        **{"id": _S, "message": _B, "author": _B, "date": _STATED, "date_offset": _I16, "date_raw_offset_bytes": _B},
        **{"committer": _B, "committer_date": _STATED, "committer_offset": _I16},
        **{"committer_date_raw_offset_bytes": _B, "directory": _S, "type": _S, "raw_manifest": _B},
    },
    "revision_history": {"id": _S, "parent_id": _S, "parent_rank": _I32},
    "revision_extra_headers": {"id": _S, "key": _B, "value": _B},
    "directory": {"id": _S, "raw_manifest": _B},
    "directory_entry": {"directory_id": _S, "name": _B, "type": _S, "target": _S, "perms": _I32},
    "content": {
        **{"sha1": _S, "sha1_git": _S, "sha256": _S, "blake2s256": _S, "length": _I64, "status": _S, "data": _B},
    },
    "skipped_content": {
        **{"sha1": _S, "sha1_git": _S, "sha256": _S, "blake2s256": _S, "length": _I64, "status": _S, "reason": _S},
    },
    "release": {
        **{"id": _S, "name": _B, "message": _B, "target": _S, "target_type": _S, "author": _B, "date": _STATED},
        **{"date_offset": _I16, "date_raw_offset_bytes": _B, "raw_manifest": _B},
    },
}
KINDS = {0o040000: "dir", 0o160000: "rev"}  # all others are "file", links too
VISIT = datetime(2023, 9, 6, 12, 30, 15, 250_000, UTC)


def hash_of(*words):
    """A made-up id."""
    return hashlib.sha1("\0".join(map(str, words)).encode()).hexdigest()


class Export:
    def __init__(self):
        self.rows = {table: [] for table in TABLES}
        self.objects = {}  # plain SHA-1 → bytes
        self._known = set()

    def _new(self, kind, name):
        new = (kind, name) not in self._known
        self._known.add((kind, name))
        return new

    def content(self, data, status="visible"):
        hashes = MultiHash.from_data(data).hexdigest()
        if self._new("content", hashes["sha1_git"]):
            names = ("sha1", "sha1_git", "sha256", "blake2s256")
            self.rows["content"].append({n: hashes[n] for n in names} | {"length": len(data), "status": status})
            self.objects[hashes["sha1"]] = data
        return hashes["sha1_git"]

    def skip(self, data, reason="Content too large"):
        """The content as one that the archive has not."""
        name = self.content(data)
        row = next(row for row in self.rows["content"] if row["sha1_git"] == name)
        self.rows["content"].remove(row)
        del self.objects[row["sha1"]]
        self.rows["skipped_content"].append(row | {"status": "absent", "reason": reason})
        return name

    def directory(self, *entries):
        """Of (perms, name, target) rows; its id is git's."""
        made = Directory(
            entries=tuple(
                DirectoryEntry(name=name, type=KINDS.get(perms, "file"), target=bytes.fromhex(target), perms=perms)
                for perms, name, target in entries
            )
        )
        return self.raw_directory(made.id.hex(), *entries)

    def raw_directory(self, name, *entries):
        """Under an id that may be anything."""
        if self._new("directory", name):
            self.rows["directory"].append({"id": name})
            for perms, entry, target in entries:
                row = {"directory_id": name, "name": entry, "type": KINDS.get(perms, "file"), "target": target}
                self.rows["directory_entry"].append(row | {"perms": perms})
        return name

    def revision(self, directory, date=1_600_000_000, committer_date=None, kind="git", name=None, parents=()):
        name = name or hash_of("revision", directory, date, kind)
        if self._new("revision", name):
            row = {"id": name, "message": b"m", "author": b"a", "date": date, "date_offset": 0, "committer": b"c"}
            row |= {"committer_date": date if committer_date is None else committer_date, "directory": directory}
            self.rows["revision"].append(row | {"type": kind, "committer_offset": 0})
            for rank, parent in enumerate(parents):
                self.rows["revision_history"].append({"id": name, "parent_id": parent, "parent_rank": rank})
        return name

    def release(self, target, kind="revision", name=None):
        name = name or hash_of("release", target, kind)
        if self._new("release", name):
            self.rows["release"].append({"id": name, "name": b"v1", "target": target, "target_type": kind})
        return name

    def snapshot(self, branches):
        """Of {branch name: (kind, target)}; an alias's target is a branch name, None dangles."""
        made = {
            name: None
            if kind is None
            else SnapshotBranch(
                target=target if kind == "alias" else bytes.fromhex(target), target_type=SnapshotTargetType(kind)
            )
            for name, (kind, target) in branches.items()
        }
        name = Snapshot(branches=made).id.hex()
        if self._new("snapshot", name):
            self.rows["snapshot"].append({"id": name})
            for branch, value in made.items():
                if value is not None:
                    row = {"snapshot_id": name, "name": branch, "target": value.target.hex()}
                    self.rows["snapshot_branch"].append(row | {"target_type": value.target_type.value})
        return name

    def visit(self, origin, snapshot, status="full", visit=1, date=VISIT, kind="git"):
        if self._new("origin", origin):
            self.rows["origin"].append({"id": hashlib.sha1(origin.encode()).hexdigest(), "url": origin})
        date = date.replace(tzinfo=None)
        self.rows["origin_visit"].append({"origin": origin, "visit": visit, "date": date, "type": kind})
        row = {"origin": origin, "visit": visit, "date": date, "status": status, "snapshot": snapshot}
        self.rows["origin_visit_status"].append(row | {"type": kind})

    def repository(self, origin, directory, **revision):
        """The usual: a HEAD alias of `main`, one full visit."""
        name = self.revision(directory, **revision)
        branches = {b"HEAD": ("alias", b"refs/heads/main"), b"refs/heads/main": ("revision", name)}
        self.visit(origin, self.snapshot(branches))
        return name

    def git(self, path, origin, **visit):
        """Everything of a git repository, with a visit of it now."""

        def git(*arguments, feed=None):
            return subprocess.run(["git", "-C", path, *arguments], input=feed, capture_output=True, check=True).stdout

        names = git("cat-file", "--batch-all-objects", "--batch-check=%(objectname) %(objecttype)").decode().split("\n")
        for name, kind in (line.split() for line in names if line):
            raw = git("cat-file", kind, name)
            getattr(self, f"_git_{kind}")(name, raw)
        branches = {}
        lines = git("for-each-ref", "--format=%(objectname) %(objecttype) %(refname)").decode().splitlines()
        for name, kind, ref in (line.split(" ", 2) for line in lines):
            branches[ref.encode()] = ({"commit": "revision", "tag": "release"}[kind], name)
        head = subprocess.run(["git", "-C", path, "symbolic-ref", "-q", "HEAD"], capture_output=True, check=False)
        if head.returncode:
            branches[b"HEAD"] = ("revision", git("rev-parse", "HEAD").decode().strip())
        else:
            branches[b"HEAD"] = ("alias", head.stdout.strip())
        snapshot = self.snapshot(branches)
        self.visit(origin, snapshot, **visit)
        return snapshot

    def _git_blob(self, name, raw):
        assert self.content(raw) == name

    def _git_tree(self, name, raw):
        entries, rest = [], raw
        while rest:
            head, rest = rest.split(b"\0", 1)
            mode, entry = head.split(b" ", 1)
            entries.append((int(mode, 8), entry, rest[:20].hex()))
            rest = rest[20:]
        assert self.directory(*entries) == name, "swh.model names a directory otherwise than git does"

    def _git_commit(self, name, raw):
        lines = raw.split(b"\n\n", 1)[0].split(b"\n")
        field = {line.split(b" ", 1)[0]: line.split(b" ", 1)[1] for line in reversed(lines)}
        times = [int(field[who].rsplit(b" ", 2)[1]) for who in (b"author", b"committer")]
        parents = [line[7:].decode() for line in lines if line.startswith(b"parent ")]
        self.revision(field[b"tree"].decode(), *times, name=name, parents=parents)

    def _git_tag(self, name, raw):
        field = dict(line.split(b" ", 1) for line in raw.split(b"\n\n", 1)[0].split(b"\n"))
        kind = {b"commit": "revision", b"tree": "directory", b"blob": "content", b"tag": "release"}[field[b"type"]]
        self.release(field[b"object"].decode(), kind, name)

    def table(self, name, form="orc"):
        rows = self.rows[name]
        schema = pa.schema(list(TABLES[name].items()))
        if form == "parquet":
            schema = pa.schema([(n, _WIDE if t == _STATED else t) for n, t in TABLES[name].items()])
            wide = [n for n, t in TABLES[name].items() if t == _STATED]
            rows = [
                row | {n: {"seconds": row[n], "microseconds": 0} for n in wide if row.get(n) is not None}
                for row in rows
            ]
        columns = {}
        for field in schema:
            values = [row.get(field.name) for row in rows]
            if field.type == _STATED:  # through integers: Python's dates are too few
                columns[field.name] = pa.array(values, pa.int64()).cast(_STATED)
            else:
                columns[field.name] = pa.array(values, field.type)
        return pa.table(columns, schema)

    def write(self, folder, form="orc", files=1, without=(), change=lambda name, table: table, **options):
        """The 13 tables, in `files` files each, under FOLDER/FORM. Returns that folder."""
        base = Path(folder) / form
        for name in TABLES:
            if name in without:
                continue
            (base / name).mkdir(parents=True)
            table = change(name, self.table(name, form))
            size = max(-(-table.num_rows // files), 1)
            for number in range(files):
                path = base / name / f"{name}-{number:08x}.{form}"
                part = table.slice(number * size, size)
                if form == "orc":
                    orc.write_table(part, path, compression="zstd", **options)
                else:
                    pq.write_table(part, path, compression="zstd", **options)
        return base

    def write_contents(self, folder):
        """The object store as a folder."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for name, data in self.objects.items():
            Path(folder, name).write_bytes(gzip.compress(data))
        return Path(folder)


@contextmanager
def a_place(folder, workers=1, memory="auto", **options):
    with LocalEngine(EngineSettings(workers, memory), Path(folder, "spill")) as engine:
        yield Place(Path(folder, "place"), engine, **options)


def prepare(folder, export, *, contents=None, agreement="", select="", main_branch="code", workers=1, **options):
    """What the export, written into `folder`, opens as once it is prepared; its contents lie in a folder by default."""
    base = export.write(folder, **options)
    contents = contents or str(export.write_contents(Path(folder, "objects")))
    settings = SourceSettings(f"swh:{base}", "public", contents, agreement, select)
    with a_place(folder, workers, main_branch=main_branch) as place:
        opened = open_archive_export(str(base), settings, place)
        assert (opened.sources, opened.problems) == ([], [])
        (unfetched,) = opened.unfetched
        assert unfetched.alone
        assert unfetched.location.startswith(f"swh:{base}")
        pickle.loads(pickle.dumps(unfetched)).fetch(place)
        opened = open_archive_export(str(base), settings, place)
        assert opened.unfetched == []
    return opened
