"""GH Archive: three forms of event, counts at a cut-off, renames, and files that are damaged."""

import gzip
import json
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.outside import json_lines
from starloom.sources import gh_archive, gh_archive_events
from starloom.sources.gh_archive import GhArchiveSettings, gh_archive_urls, prepare, read_repositories, state
from starloom.sources.gh_archive_events import EVENTS, Event, events
from starloom.sources.repository import Place

MIT = {"key": "mit", "name": "MIT License", "spdx_id": "MIT"}


def repo(number, name, **more):
    """A repository as a pull request's base or a fork describes it."""
    return {
        "id": number,
        "name": name.partition("/")[2],
        "full_name": name,
        "private": False,
        "owner": {"login": name.partition("/")[0], "id": 7},
        "fork": False,
        "created_at": "2015-05-15T15:19:25Z",
        "updated_at": "2019-05-15T15:19:27Z",
        "pushed_at": "2019-05-15T15:20:32Z",
        "language": "Ruby",
        "license": MIT,
        "default_branch": "trunk",
    } | more


class Archive:
    """Hourly files in a folder; event ids count up, times go on by a second."""

    def __init__(self, folder):
        self.folder = folder
        self.folder.mkdir(parents=True)
        self.number = 1000

    def event(self, kind, number, name, payload, at):
        self.number += 1
        return {
            "id": str(self.number),
            "type": f"{kind}Event",
            "actor": {"id": 5, "login": "ada", "display_login": "ada", "gravatar_id": ""},
            "repo": {"id": number, "name": name, "url": f"https://api.github.com/repos/{name}"},
            "payload": payload,
            "public": True,
            "created_at": at,
        }

    def star(self, number, name, at="2023-01-01T00:00:01Z"):
        return self.event("Watch", number, name, {"action": "started"}, at)

    def fork(self, number, name, forkee, at="2023-01-01T00:00:02Z"):
        return self.event("Fork", number, name, {"forkee": forkee}, at)

    def pull(self, number, name, base, at="2023-01-01T00:00:03Z"):
        payload = {"action": "opened", "number": 1, "pull_request": {"id": 3, "base": {"ref": "x", "repo": base}}}
        return self.event("PullRequest", number, name, payload, at)

    def write(self, *lines, name="2023-01-01-0.json.gz", separators=(",", ":")):
        data = b"".join(
            (one if isinstance(one, bytes) else json.dumps(one, separators=separators).encode()) + b"\n"
            for one in lines
        )
        path = self.folder / name
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path


@pytest.fixture
def archive(tmp_path):
    return Archive(tmp_path / "hours")


@pytest.fixture
def place(tmp_path):
    with LocalEngine(EngineSettings(workers=1, memory="500MB"), tmp_path / "spill") as engine:
        yield Place(tmp_path / "place", engine)


@pytest.fixture
def rows(archive, place):
    """{repo_name: row} of what is in the folder, and the problems."""

    def made(until="", path=None):
        target, problems = prepare(GhArchiveSettings(str(path or archive.folder), until), place)
        table = read_repositories(target)
        assert len({row["repo_name"] for row in table.to_pylist()}) == len(table)
        return {row["repo_name"]: row for row in table.to_pylist()}, problems

    return made


def test_stars_forks_and_what_events_say_of_a_repository(archive, rows):
    archive.write(
        archive.star(1, "ada/one"),
        archive.star(1, "ada/one"),  # nobody can take a star back: it counts
        archive.fork(1, "ada/one", repo(2, "bob/one", fork=True, license=None, language=None)),
        archive.pull(1, "ada/one", repo(1, "ada/one")),
        archive.event("Watch", 1, "ada/one", {"action": "stopped"}, "2023-01-01T00:00:00Z"),
        archive.event("Push", 9, "not/counted", {"size": 1}, "2023-01-01T00:00:00Z"),
    )
    found, problems = rows()
    assert problems == []
    assert found == {
        "ada/one": {
            "github_id": 1,
            "repo_name": "ada/one",
            "name_key": "ada/one",
            "former_names": [],
            "star_events_count": 2,
            "fork_events_count": 1,
            "gha_license_id": "MIT",
            "gha_event_created_at": datetime(2023, 1, 1, 0, 0, 3, tzinfo=UTC),
            "gha_created_at": datetime(2015, 5, 15, 15, 19, 25, tzinfo=UTC),
            "gha_updated_at": datetime(2019, 5, 15, 15, 19, 27, tzinfo=UTC),
            "gha_pushed_at": datetime(2019, 5, 15, 15, 20, 32, tzinfo=UTC),
            "gha_language": "Ruby",
            "is_fork": False,
            "default_branch": "trunk",
        },
        "bob/one": found["bob/one"]
        | {"github_id": 2, "star_events_count": 0, "fork_events_count": 0, "gha_license_id": None, "is_fork": True},
    }


@pytest.mark.parametrize(
    ("until", "stars", "license"),
    [
        ("", 3, "GPL-3.0"),
        ("2023-01-02", 2, "MIT"),
        ("2023-01-01T00:00:02+00:00", 2, "MIT"),  # events before it, not at it
        ("2023-01-01T01:00:01+01:00", 0, None),
    ],
)
def test_cut_off(archive, rows, until, stars, license):
    archive.write(
        archive.star(1, "a/b"), archive.star(1, "a/b"), archive.pull(1, "a/b", repo(1, "a/b"), "2023-01-01T00:00:01Z")
    )
    archive.write(
        archive.star(1, "a/b", "2023-02-01T00:00:00Z"),
        archive.pull(1, "a/b", repo(1, "a/b", license={"spdx_id": "GPL-3.0"}), "2023-02-01T00:00:00Z"),
        name="2023-02-01-0.json.gz",
    )
    row = rows(until)[0].get("a/b", {"star_events_count": 0, "gha_license_id": None})
    assert (row["star_events_count"], row["gha_license_id"]) == (stars, license)


def test_hours_after_the_cut_off_are_not_opened(archive, rows):
    archive.write(archive.star(1, "a/b"))
    archive.write(b"no event", name="2023-01-02-1.json")
    assert rows("2023-01-02")[1] == []
    assert len(rows("2023-01-03")[1]) == 1


def test_renames_follow_the_id(archive, rows):
    archive.write(
        archive.star(1, "old/name", "2023-01-01T00:00:01Z"), archive.star(1, "Mid/Name", "2023-01-01T00:10:01Z")
    )
    archive.write(
        archive.star(1, "new/name", "2023-03-01T00:00:01Z"),
        archive.star(1, "New/Name", "2023-03-01T00:00:02Z"),  # another spelling is no other name
        archive.star(2, "old/name", "2023-03-01T00:00:03Z"),  # somebody else took the old one
        name="2023-03-01-0.json.gz",
    )
    found, _ = rows()
    assert found["New/Name"]["former_names"] == ["Mid/Name", "old/name"]
    assert found["New/Name"]["star_events_count"] == 4
    assert found["New/Name"]["name_key"] == "new/name"
    assert (found["old/name"]["github_id"], found["old/name"]["star_events_count"]) == (2, 1)


def test_a_name_leads_to_the_repository_that_had_it_last(archive, place):
    archive.write(archive.star(1, "a/b", "2023-01-01T00:00:01Z"), archive.star(2, "A/B", "2023-01-01T00:30:00Z"))
    table = read_repositories(prepare(GhArchiveSettings(str(archive.folder)), place)[0])
    assert sorted(zip(table["github_id"].to_pylist(), table["name_key"].to_pylist())) == [(1, None), (2, "a/b")]


def test_trimmed_payloads_of_2025(archive, rows):
    """Ids and actions only: counts go on, and what was known stays known."""
    archive.write(archive.pull(1, "a/b", repo(1, "a/b"), "2023-01-01T00:00:01Z"))
    archive.write(
        archive.pull(
            1, "a/b", {"id": 1, "name": "b", "url": "https://api.github.com/repos/a/b"}, "2025-11-01T00:00:01Z"
        ),
        archive.fork(1, "a/b", {"id": 3, "full_name": "c/b"}, "2025-11-01T00:00:02Z"),
        archive.event("Watch", 1, "a/b", {"action": "started"}, "2025-11-01T00:00:03Z"),
        archive.event("PullRequest", 1, "a/b", {"action": "opened"}, "2025-11-01T00:00:04Z"),
        archive.event("Create", 1, "a/b", {"ref_type": "tag", "master_branch": "next"}, "2025-11-01T00:00:05Z"),
        archive.event("Public", 4, "d/d", {}, "2025-11-01T00:00:06Z"),
        name="2025-11-01-0.json.gz",
    )
    found, problems = rows()
    assert problems == []
    assert (found["a/b"]["star_events_count"], found["a/b"]["fork_events_count"]) == (1, 1)
    assert found["a/b"]["gha_license_id"] == "MIT"
    assert found["a/b"]["gha_event_created_at"] == datetime(2023, 1, 1, 0, 0, 1, tzinfo=UTC)
    assert found["a/b"]["default_branch"] == "next"
    assert (found["c/b"]["github_id"], found["c/b"]["is_fork"], found["c/b"]["gha_created_at"]) == (3, True, None)
    assert found["d/d"]["star_events_count"] == 0


def test_a_description_with_a_licence_field_comes_before_a_newer_one_without(archive, rows):
    without = repo(1, "a/b", language="C")
    del without["license"]
    archive.write(
        archive.pull(1, "a/b", repo(1, "a/b"), "2023-01-01T00:00:01Z"),
        archive.pull(1, "a/b", without, "2023-01-01T00:00:02Z"),
    )
    assert rows()[0]["a/b"]["gha_license_id"] == "MIT"
    archive.write(archive.pull(1, "a/b", repo(1, "a/b", license=None)), name="2023-01-01-1.json.gz")
    assert rows()[0]["a/b"]["gha_license_id"] is None  # stated: it has none


TIMELINE = {
    "created_at": "2013-09-20T09:03:41-07:00",
    "payload": {"action": "started"},
    "public": True,
    "type": "WatchEvent",
    "url": "https://github.com/ada/Old",
    "actor": "ada",
    "actor_attributes": {"login": "ada", "type": "User", "email": "0a1b@example.org"},
    "repository": {
        "id": 749771,
        "name": "Old",
        "url": "https://github.com/ada/Old",
        "watchers": 13,
        "forks": 8,
        "fork": False,
        "owner": "ada",
        "language": "PHP",
        "created_at": "2010-06-30T12:38:08-07:00",
        "pushed_at": "2013-09-20T09:03:40-07:00",
        "master_branch": "master",
    },
}
OF_2011 = {
    "repo": {"id": 1347524, "url": "https://api.github.dev/repos/rpj/check", "name": "rpj/check"},
    "type": "ForkEvent",
    "public": True,
    "created_at": "2011-02-12T00:01:31Z",
    "payload": {"repo": "rpj/check", "actor": "rpj", "forkee": 1357000},
    "actor": {"gravatar_id": "77", "id": 9, "url": "https://api.github.dev/users/rpj", "login": "rpj"},
    "id": "1127195475",
}


def test_the_timeline_form(archive, rows):
    archive.write(TIMELINE, name="2013-09-20-16.json.gz", separators=(", ", ": "))
    row = rows()[0]["ada/Old"]
    assert (row["github_id"], row["star_events_count"], row["gha_language"]) == (749771, 1, "PHP")
    assert row["gha_event_created_at"] == datetime(2013, 9, 20, 16, 3, 41, tzinfo=UTC)
    assert row["gha_created_at"] == datetime(2010, 6, 30, 19, 38, 8, tzinfo=UTC)
    assert (row["default_branch"], row["is_fork"], row["gha_license_id"]) == ("master", False, None)


def test_the_form_of_2011(archive, rows):
    gist = OF_2011 | {"type": "WatchEvent", "repo": {"name": "/", "url": "https://api.github.dev/repos//"}}
    archive.write(OF_2011, gist, name="2011-02-12-0.json.gz")
    found, problems = rows()
    assert problems == []
    assert [(row["repo_name"], row["github_id"], row["fork_events_count"]) for row in found.values()] == [
        ("rpj/check", 1347524, 1)
    ]


def test_events_without_an_id_go_to_the_first_id_of_their_name(archive, rows):
    def old(name):
        at = {
            "name": name.partition("/")[2],
            "owner": name.partition("/")[0],
            "created_at": "2011/03/22 16:00:00 -0700",
        }
        return TIMELINE | {"repository": at}

    archive.write(old("ada/one"), old("ADA/one"), old("gone/gone"), name="2013-09-20-16.json.gz")
    archive.write(archive.star(5, "Ada/One"), archive.star(6, "ada/one", "2023-01-01T00:10:00Z"))
    found, _ = rows()
    assert (found["Ada/One"]["github_id"], found["Ada/One"]["star_events_count"]) == (5, 3)
    assert found["Ada/One"]["gha_created_at"] == datetime(2011, 3, 22, 23, tzinfo=UTC)
    assert found["ada/one"]["star_events_count"] == 1
    assert (found["gone/gone"]["github_id"], found["gone/gone"]["star_events_count"]) == (None, 1)


def test_lines_that_are_no_events_are_counted_and_named_each_time(archive, rows):
    whole = json.dumps(archive.star(1, "a/b")).encode()
    archive.write(
        whole,
        whole[:-20],  # cut
        b"not json",
        b"\xff\xfe" + whole,
        whole.replace(b"2023-01-01T00:00:01Z", b"yesterday"),
        b"{" * 100_000 + b"}",  # no other type's either: it is not looked into
        b'{"type":"WatchEvent","x":' + b"[" * 100_000 + b"}",
        b'{"type":"WatchEvent","x":' + b"1" * 10_000 + b"}",
        b"",
        whole,
    )
    for _ in range(2):
        found, problems = rows()
        assert found["a/b"]["star_events_count"] == 2
        (problem,) = problems
        assert problem.reason == "6 lines are no event: left out"
        assert problem.location.endswith("2023-01-01-0.json.gz")


@pytest.mark.parametrize("damage", ["truncated", "flipped", "trailing", "empty"])
def test_a_damaged_file_costs_its_hour_and_is_tried_again(archive, rows, damage):
    archive.write(archive.star(1, "a/b"), name="2023-01-01-1.json.gz")
    path = archive.write(*[archive.star(2, f"c/d{number}") for number in range(3000)])
    sound = path.read_bytes()
    middle = len(sound) // 2
    path.write_bytes(
        {
            "truncated": sound[:middle],
            "flipped": sound[:middle] + bytes([sound[middle] ^ 0x55]) + sound[middle + 1 :],
            "trailing": sound + b"garbage",
            "empty": sound[:5],
        }[damage]
    )
    for _ in range(2):
        found, problems = rows()
        assert set(found) == {"a/b"}
        (problem,) = problems
        assert problem.location == str(path)
        assert problem.reason.startswith("damaged or truncated gzip")
    path.write_bytes(sound)
    found, problems = rows()
    assert problems == []
    assert found["c/d2999"]["star_events_count"] == 3000


def test_bombs_are_bounded(archive, rows, monkeypatch):
    monkeypatch.setattr(gh_archive_events, "MAX_LINE", 1 << 18)
    monkeypatch.setattr(gh_archive_events, "MAX_BYTES", 5 << 19)
    monkeypatch.setattr(json_lines, "BLOCK", 1 << 18)
    archive.write(archive.star(1, "a/b"), b'{"type":"WatchEvent"' + b" " * (1 << 21) + b"}", archive.star(1, "a/b"))
    archive.write(b"\n" * (3 << 20), name="2023-01-01-1.json.gz")
    found, problems = rows()
    assert found["a/b"]["star_events_count"] == 2
    assert [one.reason for one in problems] == [
        "1 line is no event: left out",
        "more than 2,621,440 bytes of text",
    ]


def test_the_same_hour_counts_once(archive, rows):
    star = archive.star(1, "a/b")
    archive.write(star)
    archive.write(star, name="2023-01-01-0.json")
    found, problems = rows()
    assert found["a/b"]["star_events_count"] == 1
    assert "the same hour as" in problems[0].reason


def test_nothing_is_read_again_unless_it_changed(archive, place, rows, monkeypatch):
    settings = GhArchiveSettings(str(archive.folder))
    path = archive.write(archive.star(1, "a/b"))
    token = state(settings)
    rows()
    monkeypatch.setattr(gh_archive, "read_hour", lambda _: pytest.fail("read again"))
    monkeypatch.setattr(gh_archive, "_write", lambda *_: pytest.fail("written again"))
    assert rows()[0]["a/b"]["star_events_count"] == 1
    assert state(settings) == token
    monkeypatch.undo()
    path.unlink()
    archive.write(archive.star(1, "a/b"), archive.star(1, "a/b"))
    assert state(settings) != token
    assert rows()[0]["a/b"]["star_events_count"] == 2


def test_the_same_rows_whatever_the_order_and_the_workers(archive, tmp_path):
    for hour in range(4):
        lines = [archive.star(n % 7, f"a/{n % 11}", f"2023-01-01T0{hour}:00:{n % 60:02}Z") for n in range(1, 200)]
        lines += [archive.pull(n, f"a/{n}", repo(n, f"a/{n}", language=str(n)), "2023-01-01T00:00:00Z") for n in (1, 2)]
        archive.write(*lines, name=f"2023-01-01-{hour}.json.gz")
    made = []
    for workers in (1, 2):
        with LocalEngine(EngineSettings(workers=workers, memory="500MB"), tmp_path / "spill") as engine:
            path, _ = prepare(GhArchiveSettings(str(archive.folder)), Place(tmp_path / f"place{workers}", engine))
            made.append(path.read_bytes())
    assert made[0] == made[1]


def test_files_by_pattern_and_one_by_one(archive, rows):
    archive.write(archive.star(1, "a/b"))
    other = archive.write(archive.star(1, "a/b"), name="other.json")
    assert rows()[0]["a/b"]["star_events_count"] == 1  # of a folder only what is named as an hour
    assert rows(path=other)[0]["a/b"]["star_events_count"] == 1
    assert rows(path=archive.folder / "*.json*")[0]["a/b"]["star_events_count"] == 2


@pytest.mark.parametrize(
    ("path", "until", "says"),
    [
        ("/nowhere/at/all", "", "no hourly files there"),
        ("gharchive:2023-01-02..2023-01-01", "", "no range of hours"),
        ("gharchive:2010-01-01..2023-01-01", "", "no range of hours"),
        ("gharchive:january", "", "no range of hours"),
        ("x", "soon", "no date"),
    ],
)
def test_wrong_requests(place, path, until, says):
    with pytest.raises(UserError, match=says):
        prepare(GhArchiveSettings(path, until), place)


def test_urls():
    first = datetime(2023, 1, 31, 22, 30, tzinfo=UTC)
    urls = gh_archive_urls(first, first + timedelta(hours=3))
    assert [url.rpartition("/")[2] for url in urls] == [
        "2023-01-31-22.json.gz",
        "2023-01-31-23.json.gz",
        "2023-02-01-0.json.gz",
        "2023-02-01-1.json.gz",
    ]
    assert gh_archive_urls(first, first - timedelta(hours=3)) == []


def test_hours_are_fetched_once_and_gaps_are_named(archive, place, monkeypatch):
    pytest.importorskip("starloom.outside.download")
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    bodies = {
        f"/{name}": archive.write(archive.star(1, "a/b"), name=name).read_bytes()
        for name in ("2023-01-01-9.json.gz", "2023-01-01-11.json.gz")
    }
    asked = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            body = bodies.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}"
        settings = GhArchiveSettings("gharchive:2023-01-01-9..2023-01-01-11", "", address)
        for _ in range(2):
            target, problems = prepare(settings, place)
            assert read_repositories(target)["star_events_count"].to_pylist() == [2]
            assert [one.location for one in problems] == [f"{address}/2023-01-01-10.json.gz"]
        assert sorted(asked) == sorted([*bodies, "/2023-01-01-10.json.gz", "/2023-01-01-10.json.gz"])
        before = GhArchiveSettings("gharchive:2023-01-01-9..2023-01-01-11", "2023-01-01T09:30", address)
        assert prepare(before, place)[1] == []  # the hours after the cut-off are not asked for
    finally:
        server.shutdown()
        server.server_close()


# Strangers' bytes

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["a/b", "started", "2023-01-01T00:00:00Z"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "name", "full_name", "url", "owner", "license", "spdx_id", "created_at", "fork", "language"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)
LINES = st.builds(
    lambda kind, rest: json.dumps({"type": kind} | rest).encode(),
    st.sampled_from(["WatchEvent", "ForkEvent", "PullRequestEvent", "CreateEvent", "PublicEvent"]),
    st.fixed_dictionaries(
        {"created_at": st.sampled_from(["2023-01-01T00:00:00Z", "0001-01-01T00:00:00+23:00", 5, -1, 1 << 70]) | JSON},
        optional={
            "id": JSON,
            "repo": JSON,
            "repository": JSON,
            "payload": JSON | st.fixed_dictionaries({"forkee": JSON}),
        },
    ),
)


@given(st.binary() | LINES | st.builds(lambda line, cut: line[:cut] + b"}", LINES, st.integers(0, 200)))
def test_any_line_gives_rows_or_a_value_error(line):
    try:
        found = events(line)
    except ValueError:
        return
    assert all(isinstance(one, Event) for one in found)
    table = gh_archive_events._table(found)
    assert table.schema == EVENTS
    assert len(table) == len(found)


@given(st.binary(max_size=200))
def test_any_file_gives_rows_or_a_problem(tmp_path_factory, data):
    folder = tmp_path_factory.mktemp("hour")
    (folder / "hour").write_bytes(data)
    hour = gh_archive_events.Hour(str(folder / "hour"), str(folder / "rows"))
    problems = gh_archive_events.read_hour(hour)
    if not (folder / "rows").exists():
        assert problems
    else:
        assert pq.read_schema(folder / "rows").equals(EVENTS)
    assert len(list(folder.iterdir())) <= 2  # nothing is left aside
