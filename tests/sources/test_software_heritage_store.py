"""Contents from an object store: a real S3 protocol server, a server that fails in every way, a folder; the terms."""

import gzip
import json
import logging
import os
import pickle
import threading
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sources.swh_export import Export, a_place, prepare
from starloom.errors import UserError
from starloom.identity import blob_id, content_id
from starloom.outside.http import HttpSettings
from starloom.sources.git.source import GitSource
from starloom.sources.prepared import PreparedFile
from starloom.sources.repository import SourceSettings, Wanted
from starloom.sources.software_heritage import store, terms
from starloom.sources.software_heritage.archive import open_archive_export
from starloom.sources.software_heritage.store import StoreReader

HUB = "https://github.com/"
FILE = 0o100644


@pytest.fixture(scope="module")
def s3():
    """(a client that may write, the server's URL)"""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of boto3's own dependencies
        import boto3
        from moto.server import ThreadedMotoServer

        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        server.start()
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
        yield boto3.client("s3", endpoint_url=url, **keys), url
        server.stop()


@pytest.fixture
def bucket(s3, monkeypatch):
    """make(name): a bucket that everybody may read; put(bucket, key, bytes)."""
    client, url = s3
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    store._open.cache_clear()

    def make(name):
        client.create_bucket(Bucket=name)
        statement = {"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject", "s3:ListBucket"]}
        statement["Resource"] = [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"]
        client.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
        return lambda key, data: client.put_object(Bucket=name, Key=key, Body=data, ACL="public-read")

    yield make
    store._open.cache_clear()


def answers(source):
    wanted = {e.content_id: Wanted(e.raw_path, e.content_id, e.size) for e in source.entries(1 << 30) if e.content_id}
    return {one.content_id: one.data or one.problem for one in source.contents(wanted.values())}


@pytest.mark.parametrize("form", ["orc", "parquet"])
def test_tables_and_contents_on_s3_give_what_git_gives(form, git, bucket, tmp_path):
    for n in range(30):
        git.put(f"src/{n % 7}/file{n}.py", b"print(%d)\n" % n * n)
    git.put("empty", b"")
    git.commit()
    export = Export()
    export.git(git.path, HUB + "ada/work")
    put = bucket(f"starloom-{form}")
    base = export.write(tmp_path / "local", form)
    for path in base.rglob(f"*.{form}"):
        put(f"graph/2024-01-01/{path.relative_to(base.parent)}", path.read_bytes())
    for name, data in export.objects.items():
        put(f"content/{name}", gzip.compress(data))
    url = f"s3://starloom-{form}/graph/2024-01-01/{form}"
    settings = SourceSettings(f"swh:{url}", contents=f"s3://starloom-{form}/content")
    with a_place(tmp_path) as place:
        (unfetched,) = open_archive_export(url, settings, place).unfetched
        unfetched.fetch(place)
        opened = open_archive_export(url + "/", settings, place)
        assert (opened.problems, opened.unfetched) == ([], [])
        again = open_archive_export(url, settings, type(place)(place.folder, place.engine, update=True))
        assert len(again.unfetched) == 1
        again.unfetched[0].fetch(place)  # nothing has changed: what is there stays
    (source,) = opened.sources
    direct = GitSource.at(git.path, "public")
    rows = [[(e.raw_path, e.mode, e.size, e.content_id) for e in one.entries(1 << 30)] for one in (source, direct)]
    assert rows[0] == rows[1]
    assert answers(pickle.loads(pickle.dumps(source))) == {k: v or None for k, v in answers(direct).items()}


class Server:
    """An object store that answers each key with its list of (status, body), the last one for ever."""

    def __init__(self):
        self.answers, self.asked, self.lock = {}, [], threading.Lock()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                key = self.path.rsplit("/", 1)[1]
                with outer.lock:
                    outer.asked.append(key)
                    waiting = outer.answers.get(key, [(404, b"")])
                    status, body = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                if status == "cut":
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(body) * 2))
                    self.end_headers()
                    self.wfile.write(body)
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/content"


@pytest.fixture
def server():
    made = Server()
    yield made
    store._open.cache_clear()
    made.server.shutdown()
    made.thread.join()
    made.server.server_close()


def reader(url, **options):
    return StoreReader(url, HttpSettings(private=True, **({"attempts": 2} | options)))


def row(data, **more):
    known = {"raw_path": b"p", "content_id": content_id(data), "size": len(data), "blob_id": blob_id(data)}
    return PreparedFile(**(known | {"file": None, "row": None} | more))


def test_every_failure_is_a_reason(server):
    def case(name, *responses, **more):
        data = name.encode() * 50
        server.answers[blob_id(data)] = list(responses) or [(200, gzip.compress(data))]
        return row(data, **more)

    def zipped(name):
        return gzip.compress(name.encode() * 50)

    rows = {
        "good": case("good"),
        "plain": case("plain", (200, b"plain" * 50)),
        "of two members": case("of two members", (200, _halves(b"of two members" * 50))),
        "503 once": case("503 once", (503, b""), (200, zipped("503 once"))),
        "cut once": case("cut once", ("cut", zipped("cut once")[:9]), (200, zipped("cut once"))),
        "503 for ever": case("503 for ever", (503, b"")),
        "cut for ever": case("cut for ever", ("cut", b"x" * 9)),
        "denied": case("denied", (403, b"")),
        "missing": case("missing", (404, b"")),
        "truncated gzip": case("truncated gzip", (200, zipped("truncated gzip")[:-9])),
        "damaged gzip": case("damaged gzip", (200, zipped("damaged gzip")[:20] + b"\xff" * 9)),
        "trailing": case("trailing", (200, zipped("trailing") + b"more")),
        "something else": case("something else", (200, gzip.compress(b"another thing." * 50))),
        "longer": case("longer", (200, gzip.compress(b"longer" * 50 + b"!"))),
        "shorter": case("shorter", (200, gzip.compress(b"short"))),
        "bomb": case("bomb", (200, gzip.compress(bytes(50_000_000)))),
        "large": case("large", (200, bytes(1_000_000))),
        "other git hash": case("other git hash", content_id="0" * 40),
        "no key": case("no key", blob_id=None),
        "no length": case("no length", size=None),
    }
    found = {one.content_id: one for one in reader(server.url).read(list(rows.values()))}
    assert len(found) == len(rows)
    said = {name: found[row.content_id] for name, row in rows.items()}
    good = {name for name, one in said.items() if one.data is not None}
    assert good == {"good", "plain", "of two members", "503 once", "cut once", "no length"}
    for name in good:
        assert said[name].data == name.encode() * 50
    for name, words in {
        "503 for ever": "unreadable: ",
        "cut for ever": "unreadable: ",
        "denied": "unreadable: ",
        "missing": "missing from the object store",
        "truncated gzip": "unreadable: truncated gzip",
        "damaged gzip": "unreadable: ",
        "trailing": "unreadable: something else follows",
        "something else": "not the listed content: its bytes do not hash to its name",
        "longer": "not the listed content: more than its 300 bytes",
        "shorter": "not the listed content: 5 bytes instead of 350",
        "bomb": "not the listed content: more than its 200 bytes",
        "large": "not the listed content: more than its 250 bytes",
        "other git hash": "not the listed content: its bytes do not hash to its name",
        "no key": "its key in the object store is not known",
    }.items():
        assert said[name].data is None, name
        assert said[name].problem.startswith(words), name


def _halves(data):
    return gzip.compress(data[:100]) + gzip.compress(data[100:])


def test_a_store_that_is_down_is_not_asked_for_ever(server, monkeypatch):
    monkeypatch.setattr(store, "GIVE_UP", 4)
    rows = [row(b"%d" % n) for n in range(60)]
    server.answers = {one.blob_id: [(503, b"")] for one in rows}
    found = list(reader(server.url, attempts=1).read(rows))
    assert {one.content_id for one in found} == {one.content_id for one in rows}
    assert len(found) == 60
    assert found[-1].problem.startswith("not asked for: the store failed ")
    assert len(server.asked) <= 4 + 8
    server.answers = {one.blob_id: [(200, gzip.compress(b"%d" % n))] for n, one in enumerate(rows)}
    assert all(one.data for one in reader(server.url).read(rows))  # the next call asks again


def test_missing_ones_do_not_count_as_a_store_that_is_down(server, monkeypatch):
    monkeypatch.setattr(store, "GIVE_UP", 2)
    rows = [row(b"%d" % n) for n in range(20)]
    assert {one.problem for one in reader(server.url).read(rows)} == {"missing from the object store"}


def test_a_reader_may_be_left_early(server):
    rows = [row(b"%d" % n) for n in range(60)]
    server.answers = {one.blob_id: [(200, gzip.compress(b"%d" % n))] for n, one in enumerate(rows)}
    reading = reader(server.url).read(rows)
    assert next(reading).data
    reading.close()
    assert len(server.asked) < 30


def test_a_folder_holds_gzip_or_plain(tmp_path):
    zipped, plain, both = b"zipped", b"plain", gzip.compress(b"a gzip is the content")
    (tmp_path / blob_id(zipped)).write_bytes(gzip.compress(zipped))
    (tmp_path / blob_id(plain)).write_bytes(plain)
    (tmp_path / blob_id(both)).write_bytes(gzip.compress(both))
    outside = tmp_path.parent / "outside"
    outside.write_bytes(b"linked")
    (tmp_path / blob_id(b"linked")).symlink_to(outside)
    rows = [row(one) for one in (zipped, plain, both, b"linked")]
    found = [one.data for one in StoreReader(str(tmp_path), HttpSettings()).read(rows)]
    assert found == [zipped, plain, both, None]
    store._open.cache_clear()


def many(number):
    export = Export()
    names = [export.content(b"%d" % n) for n in range(number)]
    export.repository(HUB + "a/b", export.directory(*((FILE, b"%03d" % n, name) for n, name in enumerate(names))))
    return export


def test_the_terms_are_shown_and_an_agreement_asked_for(tmp_path, monkeypatch, capfd, bucket):
    monkeypatch.setattr(terms, "FREE", 5)
    public = {"contents": "s3://softwareheritage/content"}
    with pytest.raises(UserError) as raised:
        prepare(tmp_path / "one", many(6), **public)
    assert "6 contents would be fetched" in raised.value.problem
    assert "principles of 19 October 2023" in raised.value.problem
    assert "`agreement = " in raised.value.hint
    assert "principles of 19 October 2023" in capfd.readouterr().err
    assert len(prepare(tmp_path / "two", many(5), **public).sources) == 1
    opened = prepare(tmp_path / "three", many(6), agreement="SWH-2026-01", **public)
    (source,) = opened.sources
    put = bucket("softwareheritage")
    for n in range(6):
        put(f"content/{blob_id(b'%d' % n)}", gzip.compress(b"%d" % n))
    assert sorted(answers(source).values()) == [b"%d" % n for n in range(6)]
    capfd.readouterr()
    assert len(prepare(tmp_path / "four", many(6)).sources) == 1  # from a folder: no terms
    assert "principles" not in capfd.readouterr().err


def test_an_agreement_withdrawn_closes_what_was_prepared(tmp_path, monkeypatch):
    export = many(6)
    base = export.write(tmp_path)
    settings = SourceSettings("", agreement="yes")
    with a_place(tmp_path) as place:
        open_archive_export(str(base), settings, place).unfetched[0].fetch(place)
        assert open_archive_export(str(base), settings, place).sources
        monkeypatch.setattr(terms, "FREE", 5)
        with pytest.raises(UserError, match="without an agreement"):
            open_archive_export(str(base), SourceSettings("", agreement=" "), place)


@pytest.mark.parametrize(
    ("url", "public"),
    [
        ("s3://softwareheritage/content", True),
        ("s3://softwareheritage", True),
        ("https://softwareheritage.s3.amazonaws.com/content", True),
        ("https://softwareheritage.s3.us-east-1.amazonaws.com/content", True),
        ("https://s3.us-east-1.amazonaws.com/softwareheritage/content", True),
        ("https://archive.softwareheritage.org/api", True),
        ("s3://softwareheritage-copy/content", False),
        ("https://mirror.example.org/softwareheritage/content", False),
        ("/data/softwareheritage/content", False),
    ],
)
def test_what_the_public_store_is(url, public):
    assert terms.is_public(url) == public


def test_the_public_store_is_asked_slowly_by_all_workers_together(tmp_path):
    with a_place(tmp_path, workers=4) as place:
        assert terms.reader(SourceSettings(""), place).settings.per_second == terms.PER_SECOND / 4 == 5
        assert terms.reader(SourceSettings("", contents="s3://other/x"), place).settings.per_second == 0
