"""Downloads: whole and verified, or not there; resumed where that is sound."""

import hashlib
import itertools
import json
import os
import random
import signal
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outside.web import client, file, once, send
from starloom.errors import UserError
from starloom.outside import download as module
from starloom.outside.download import download
from starloom.outside.http import HttpError, TooLargeError

BODY = random.Random(7).randbytes(300_000)
DIGEST = hashlib.sha256(BODY).hexdigest()
LIMIT = 1 << 20


@pytest.fixture
def target(tmp_path):
    return tmp_path / "package.tar.gz"


def cut(count, *, etag='"1"', then=None, **headers):
    """The first request is cut after `count` bytes of the body; the others are answered by `then`."""

    def broken(handler):
        send(handler, 200, BODY[:count], Content_Length=len(BODY), ETag=etag, **headers)
        handler.close_connection = True

    return once(broken, then or file(BODY, etag=etag, **headers))


def leave_partial(web, target, count=100_000, **headers):
    """What a run that was cut, and gave up, leaves."""
    web.routes["/f"] = cut(count, then=lambda handler: send(handler, 404), **headers)
    with client(attempts=1) as http, pytest.raises(HttpError):
        download(http, web.url + "/f", target, limit=LIMIT)
    web.seen.clear()


def names(target):
    return sorted(path.name for path in target.parent.iterdir())


def test_a_file(web, http, target):
    told = []
    url = web.put("/f", BODY)
    assert download(http, url, target, limit=LIMIT, advance=told.append) == DIGEST
    assert target.read_bytes() == BODY
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names(target) == [target.name]
    assert sum(told) == len(BODY)
    assert web.seen[0][1]["Accept-Encoding"] == "identity"


def test_an_empty_file(web, http, target):
    assert download(http, web.put("/f", b""), target, limit=0, size=0) == hashlib.sha256().hexdigest()
    assert target.read_bytes() == b""


def test_what_is_there_is_not_fetched_again(web, http, target):
    target.write_bytes(BODY)
    assert download(http, web.url + "/none", target, limit=LIMIT, sha256=DIGEST.upper()) == DIGEST
    assert web.seen == []


def test_another_file_is_replaced(web, http, target):
    target.write_bytes(b"older")
    assert download(http, web.put("/f", BODY), target, limit=LIMIT, sha256=DIGEST) == DIGEST
    assert target.read_bytes() == BODY


@pytest.mark.parametrize("expected", [{"sha256": "0" * 64}, {"size": len(BODY) - 1}, {"size": len(BODY) + 1}])
def test_what_is_not_what_was_expected(web, http, target, expected):
    target.write_bytes(b"older")
    with pytest.raises(HttpError, match="expected") as caught:
        download(http, web.put("/f", BODY), target, limit=LIMIT, **expected)
    assert not caught.value.retryable
    assert target.read_bytes() == b"older"
    assert names(target) == [target.name]


@pytest.mark.parametrize("size", [len(BODY) - 1, len(BODY) + 1])
def test_a_size_that_the_server_does_not_tell(web, http, target, size):
    def chunked(handler):
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(f"{len(BODY):x}\r\n".encode() + BODY + b"\r\n0\r\n\r\n")

    web.routes["/f"] = chunked
    with pytest.raises(HttpError, match="expected"):
        download(http, web.url + "/f", target, limit=LIMIT, size=size)
    assert names(target) == []
    assert download(http, web.url + "/f", target, limit=LIMIT, size=len(BODY)) == DIGEST


@pytest.mark.parametrize("size", [None, len(BODY)])
def test_a_limit(web, http, target, size):
    with pytest.raises(TooLargeError):
        download(http, web.put("/f", BODY), target, limit=len(BODY) - 1, size=size)
    assert names(target) == []


@pytest.mark.parametrize("count", [0, 1, 150_000, len(BODY) - 1])
def test_a_cut_is_resumed_at_once(web, http, target, count):
    told = []
    web.routes["/f"] = cut(count)
    assert download(http, web.url + "/f", target, limit=LIMIT, advance=told.append) == DIGEST
    assert target.read_bytes() == BODY
    assert sum(told) == len(BODY)
    assert web.seen[1][1].get("Range") == (f"bytes={count}-" if count else None)
    assert web.seen[1][1].get("If-Range") == ('"1"' if count else None)


def test_progress_makes_attempts_count_anew(web, target, monkeypatch):
    """A long download over a bad line: thirty cuts, five attempts."""
    monkeypatch.setattr(module, "_PROGRESS", 1000)

    def some(handler):
        start = int(handler.headers.get("Range", "bytes=0-")[6:-1])
        headers = {"Content_Range": f"bytes {start}-{len(BODY) - 1}/{len(BODY)}"} if start else {}
        body = BODY[start : start + 10_000]
        send(handler, 206 if start else 200, body, Content_Length=len(BODY) - start, ETag='"1"', **headers)
        handler.close_connection = True

    web.routes["/f"] = some
    with client(attempts=5) as http:
        assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert len(web.seen) == 30


@pytest.mark.parametrize("knows_range", [True, False])
def test_a_server_that_never_gets_further_is_given_up(web, target, monkeypatch, knows_range):
    """It sends much, breaks, and cannot go on: no progress, however many bytes come."""
    monkeypatch.setattr(module, "_PROGRESS", 1000)

    ends = itertools.cycle([100_000, 50_000])

    def broken(handler):
        if knows_range and "Range" in handler.headers:
            send(handler, 416)
        else:
            send(handler, 200, BODY[: next(ends)], Content_Length=len(BODY), ETag='"1"')
            handler.close_connection = True

    web.routes["/f"] = broken
    with client(attempts=3) as http, pytest.raises(HttpError):
        download(http, web.url + "/f", target, limit=LIMIT)
    assert len(web.seen) <= 8


def test_a_later_run_resumes(web, http, target):
    leave_partial(web, target)
    assert names(target) == [target.name + ".part", target.name + ".part.json"]
    told = []
    web.put("/f", BODY)
    assert download(http, web.url + "/f", target, limit=LIMIT, advance=told.append) == DIGEST
    assert [headers.get("Range") for _, headers in web.seen] == ["bytes=100000-"]
    assert told[0] == 100_000
    assert names(target) == [target.name]


def test_a_changed_file_is_fetched_from_nothing(web, http, target):
    leave_partial(web, target)
    told = []
    newer = BODY[::-1]
    web.routes["/f"] = file(newer, etag='"2"')
    digest = download(http, web.url + "/f", target, limit=LIMIT, advance=told.append)
    assert digest == hashlib.sha256(newer).hexdigest()
    assert target.read_bytes() == newer
    assert sum(told) == len(newer)
    assert -100_000 in told


def test_a_server_that_knows_range_but_not_if_range(web, http, target):
    leave_partial(web, target)
    newer = BODY[::-1]

    def careless(handler):
        del handler.headers["If-Range"]
        file(newer, etag='"2"')(handler)

    web.routes["/f"] = careless
    download(http, web.url + "/f", target, limit=LIMIT)
    assert target.read_bytes() == newer


def test_a_server_that_knows_no_range(web, http, target):
    leave_partial(web, target)
    web.routes["/f"] = lambda handler: send(handler, 200, BODY, ETag='"1"')
    assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert target.read_bytes() == BODY


def test_a_range_that_is_not_there_any_more(web, http, target):
    leave_partial(web, target)
    web.routes["/f"] = file(b"short", etag='"1"')  # 416, although the tag is the same
    download(http, web.url + "/f", target, limit=LIMIT)
    assert target.read_bytes() == b"short"


def test_last_modified_serves_where_there_is_no_strong_tag(web, http, target):
    date = "Wed, 21 Oct 2015 07:28:00 GMT"
    web.routes["/f"] = cut(1000, etag='W/"1"', Last_Modified=date, then=file(BODY, etag=date, Last_Modified=date))
    assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert web.seen[1][1]["If-Range"] == date


def test_without_a_validator_or_a_checksum_nothing_is_resumed_later(web, http, target):
    leave_partial(web, target, etag=None)
    web.routes["/f"] = file(BODY, etag=None)
    assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert "Range" not in web.seen[0][1]


def test_after_a_reboot_only_what_has_a_checksum_is_resumed(web, http, target, monkeypatch):
    leave_partial(web, target)
    monkeypatch.setattr(module, "_boot", lambda: "another")
    web.put("/f", BODY)
    assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert "Range" not in web.seen[0][1]


def test_another_url_is_not_mixed_in(web, http, target):
    leave_partial(web, target)
    web.put("/g", BODY[::-1], etag='"1"')
    download(http, web.url + "/g", target, limit=LIMIT)
    assert target.read_bytes() == BODY[::-1]


def test_a_damaged_partial_is_found_by_the_checksum(web, http, target):
    web.routes["/f"] = cut(100_000, then=lambda handler: send(handler, 404))
    with client(attempts=1) as once_only, pytest.raises(HttpError):
        download(once_only, web.url + "/f", target, limit=LIMIT, sha256=DIGEST)
    with target.with_name(target.name + ".part").open("r+b") as partial:
        partial.seek(500)
        partial.write(b"\0" * 500)
    told = []
    web.put("/f", BODY)
    assert download(http, web.url + "/f", target, limit=LIMIT, sha256=DIGEST, advance=told.append) == DIGEST
    assert target.read_bytes() == BODY
    assert sum(told) == len(BODY)


def test_killed_between_the_last_byte_and_the_rename(web, http, target):
    web.routes["/f"] = cut(100_000, then=lambda handler: send(handler, 404))
    with client(attempts=1) as once_only, pytest.raises(HttpError):
        download(once_only, web.url + "/f", target, limit=LIMIT, sha256=DIGEST)
    target.with_name(target.name + ".part").write_bytes(BODY)
    web.seen.clear()
    assert download(http, web.url + "/f", target, limit=LIMIT, sha256=DIGEST) == DIGEST
    assert web.seen == []


def test_any_note_beside_a_partial(web, http, target):
    url = web.put("/f", b"body")

    torn = [b"[]", b"{}", b'{"key": 1}', b'{"key": "a", "x": ""}', b"[" * 9999]

    @settings(max_examples=30)
    @given(st.binary(max_size=99) | st.sampled_from(torn))
    def check(note):
        target.with_name(target.name + ".part").write_bytes(b"older")
        target.with_name(target.name + ".part.json").write_bytes(note)
        assert download(http, url, target, limit=9) == hashlib.sha256(b"body").hexdigest()

    check()


def test_sent_compressed_although_plain_was_asked_for(web, http, tmp_path):
    headers = {"Content_Encoding": "gzip"}
    with pytest.raises(HttpError, match="compressed"):
        download(http, web.put("/f.tar", BODY, **headers), tmp_path / "f.tar", limit=LIMIT)
    # Some servers say so of a file that is a .gz in itself.
    assert download(http, web.put("/f.tar.gz", BODY, **headers), tmp_path / "f.tar.gz", limit=LIMIT) == DIGEST
    assert download(http, web.url + "/f.tar", tmp_path / "f.tar", limit=LIMIT, sha256=DIGEST) == DIGEST


def test_nothing_secret_is_stored(web, http, target):
    web.routes["/f"] = cut(100_000, then=lambda handler: send(handler, 404))
    url = web.url.replace("//", "//user:hunter2@") + "/f?token=hunter2"
    with client(attempts=1) as once_only, pytest.raises(HttpError):
        download(once_only, url, target, limit=LIMIT, headers={"X-Token": "hunter2"})
    note = target.with_name(target.name + ".part.json")
    assert "hunter2" not in note.read_text()
    assert set(json.loads(note.read_text())) == {"key", "validator", "boot"}
    assert stat.S_IMODE(note.stat().st_mode) == 0o600


def test_two_at_once(web, target):
    started = threading.Event()

    def waiting(handler):
        started.set()
        web.over.wait(10)
        send(handler, 200, BODY)

    web.routes["/f"] = waiting
    with client() as http:
        first = threading.Thread(target=download, args=(http, web.url + "/f", target), kwargs={"limit": LIMIT})
        first.start()
        assert started.wait(10)
        with pytest.raises(UserError, match="being downloaded"):
            download(http, web.url + "/f", target, limit=LIMIT)
        web.over.set()
        first.join()
    assert target.read_bytes() == BODY


_RUN = """
import resource, sys
from pathlib import Path
from starloom.errors import UserError
from starloom.outside.download import download
from starloom.outside.http import Http, HttpSettings
url, target, room = sys.argv[1:]
if int(room):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(room), int(room)))
try:
    with Http(HttpSettings(private=True)) as http:
        print(download(http, url, Path(target), limit=1 << 20))
except UserError as problem:
    print(problem.problem, "|", problem.hint)
"""


def run(url, target, room=0):
    return subprocess.Popen(
        [sys.executable, "-c", _RUN, url, str(target), str(room)], stdout=subprocess.PIPE, text=True
    )


def test_a_killed_download_goes_on(web, http, target):
    """SIGKILL once half has been sent and written: the next run asks for the rest only."""

    def half(handler):
        send(handler, 200, BODY[:150_000], Content_Length=len(BODY), ETag='"1"')
        handler.wfile.flush()
        web.over.wait(20)
        handler.close_connection = True

    web.routes["/f"] = half
    partial = target.with_name(target.name + ".part")
    with run(web.url + "/f", target) as process:
        while not partial.exists() or partial.stat().st_size < 150_000:
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
    assert not target.exists()
    web.put("/f", BODY)
    assert download(http, web.url + "/f", target, limit=LIMIT) == DIGEST
    assert web.seen[-1][1]["Range"] == "bytes=150000-"


def test_a_full_disk_is_explained_and_resumed(web, http, target):
    url = web.put("/f", BODY)
    with run(url, target, room=150_000) as process:
        output = process.stdout.read()
    assert process.returncode == 0
    assert "cannot write" in output
    assert "it resumes" in output
    assert not target.exists()
    assert download(http, url, target, limit=LIMIT) == DIGEST
    assert web.seen[-1][1]["Range"] == "bytes=150000-"


def test_links_and_folders_in_the_way(web, http, target):
    url = web.put("/f", BODY)
    partial = target.with_name(target.name + ".part")
    outside = target.with_name("outside")
    outside.write_bytes(b"precious")
    partial.symlink_to(outside)
    with pytest.raises(UserError, match="symbolic link"):
        download(http, url, target, limit=LIMIT)
    assert outside.read_bytes() == b"precious"
    partial.unlink()
    os.mkfifo(partial)
    with pytest.raises(UserError, match="no regular file"):
        download(http, url, target, limit=LIMIT)
    partial.unlink()
    partial.mkdir()
    with pytest.raises(UserError):
        download(http, url, target, limit=LIMIT)


@pytest.mark.parametrize("operation", ["write", "fsync", "rename"])
def test_every_failure_of_the_disk_leaves_no_target(web, http, target, monkeypatch, operation):
    def fail(*_, **__):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        place = {"write": (os, "write"), "fsync": (os, "fsync"), "rename": (module.Path, "replace")}[operation]
        broken.setattr(*place, fail)
        with pytest.raises(UserError, match="No space left"):
            download(http, web.put("/f", BODY), target, limit=LIMIT)
    assert not target.exists()
    assert download(http, web.put("/f", BODY), target, limit=LIMIT) == DIGEST
