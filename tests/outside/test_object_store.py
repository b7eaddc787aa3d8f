"""Objects by key: the same answers from a bucket, a web server and a folder."""

import contextlib
import gzip
import hashlib
import json
import os
import pickle
import random
import threading
import urllib.request
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outside.web import once, send, serving
from starloom.errors import UserError
from starloom.outside.http import HttpSettings
from starloom.outside.object_store import (
    MissingError,
    StoreError,
    TooLargeError,
    _public_url,
    gunzip,
    open_folder,
    open_store,
)

LIMIT = 1 << 20
BODY = random.Random(5).randbytes(5000)
KEY = hashlib.sha1(BODY).hexdigest()
SETTINGS = HttpSettings(attempts=2)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch):
    for name in list(os.environ):
        if name.startswith("AWS_") or name.lower().endswith("_proxy") or name == "STARLOOM_ALLOW_PRIVATE":
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def s3_server():
    """A server of the S3 protocol, with one public bucket and one that is not."""
    os.environ["MOTO_S3_DEFAULT_MAX_KEYS"] = "1000"
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server, monkeypatch):
    """Its endpoint in the environment; `put(bucket, key, body)`."""
    import boto3
    from botocore.config import Config

    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    client = boto3.client(
        "s3",
        endpoint_url=s3_server,
        region_name="us-east-1",
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="hunter2",
        config=Config(s3={"addressing_style": "path"}, proxies={}),
    )
    for bucket in ("open", "closed"):
        client.create_bucket(Bucket=bucket)
    actions = [("s3:GetObject", "arn:aws:s3:::open/*"), ("s3:ListBucket", "arn:aws:s3:::open")]
    statements = [{"Effect": "Allow", "Principal": "*", "Action": a, "Resource": r} for a, r in actions]
    client.put_bucket_policy(Bucket="open", Policy=json.dumps({"Version": "2012-10-17", "Statement": statements}))
    client.put_bucket_acl(Bucket="open", ACL="public-read")
    yield lambda bucket, key, body: client.put_object(
        Bucket=bucket, Key=key, Body=body, **({"ACL": "public-read"} if bucket == "open" else {})
    )
    client.close()


def credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")


@pytest.fixture(params=["folder", "web", "bucket", "bucket with credentials"])
def store(request, tmp_path, monkeypatch):
    """A store that holds BODY under KEY and under `a b/ü`, nothing else."""
    names = [KEY, "a b/ü"]
    if request.param == "folder":
        for name in names:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_bytes(BODY)
        yield (opened := open_store(str(tmp_path), settings=SETTINGS))
        opened.close()
    elif request.param == "web":
        with serving() as web:
            for name in names:
                web.put("/content/" + urllib.request.quote(name), BODY)
            monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
            yield (opened := open_store(web.url + "/content/", settings=SETTINGS))
            opened.close()
    else:
        put = request.getfixturevalue("s3")
        for name in names:
            put("open", "content/" + name, BODY)
        if "credentials" in request.param:
            credentials(monkeypatch)
        yield (opened := open_store("s3://open/content", settings=SETTINGS))
        opened.close()


def test_an_object(store):
    assert store.get(KEY, LIMIT) == BODY
    assert store.get(KEY, len(BODY)) == BODY
    assert store.get("a b/ü", LIMIT) == BODY
    assert pickle.loads(pickle.dumps(store)).get(KEY, LIMIT) == BODY


@pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 5000), (17, 1234), (4999, 5000), (0, 0), (9, 9)])
def test_a_range(store, start, stop):
    assert store.get_range(KEY, start, stop) == BODY[start:stop]


@pytest.mark.parametrize(("start", "stop"), [(0, 5001), (4999, 6000), (5000, 5001), (9000, 9001)])
def test_a_range_past_the_end(store, start, stop):
    with pytest.raises(StoreError):
        store.get_range(KEY, start, stop)


def test_a_range_of_what_is_not_there(store):
    with pytest.raises(MissingError):
        store.get_range("0" * 40, 0, 9)
    with pytest.raises(StoreError, match="no key"):
        store.get_range("../secret", 0, 9)


@pytest.mark.parametrize(
    ("status", "body", "content_range", "words"),
    [
        (200, BODY, None, "no ranges"),  # a server that gives whole objects
        (206, BODY[1:9], "bytes 1-8/5000", "another range"),
        (206, BODY[:9], "bytes 0-8/5000", "another range"),
        (206, BODY[:4], "bytes 0-7/5000", "bytes came"),
    ],
)
def test_a_server_that_gives_something_else(monkeypatch, status, body, content_range, words):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    with serving() as web:
        web.routes["/x"] = lambda handler: send(handler, status, body, Content_Range=content_range)
        opened = open_store(web.url, settings=HttpSettings(attempts=1))
        with pytest.raises(StoreError, match=words):
            opened.get_range("x", 0, 8)
        opened.close()


@pytest.mark.parametrize("key", ["0" * 40, "no/such"])
def test_what_is_not_there(store, key):
    with pytest.raises(MissingError) as caught:
        store.get(key, LIMIT)
    assert not caught.value.retryable


def test_what_is_too_large(store):
    with pytest.raises(TooLargeError) as caught:
        store.get(KEY, len(BODY) - 1)
    assert not caught.value.retryable
    assert type(pickle.loads(pickle.dumps(caught.value))) is TooLargeError


@pytest.mark.parametrize("key", ["", "/etc/passwd", "../secret", "a/../../b", "a//b", ".", "a/", "..\\b", "a\0b"])
def test_keys_that_are_none(store, key):
    with pytest.raises(StoreError, match="no key"):
        store.get(key, LIMIT)


def test_many_threads(store):
    got = []
    threads = [threading.Thread(target=lambda: got.append(store.get(KEY, LIMIT))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [BODY] * 16


# Folders


def test_a_folder_is_not_left_through_links(tmp_path):
    (tmp_path / "secret").write_bytes(b"secret")
    store = tmp_path / "store"
    store.mkdir()
    (store / "link").symlink_to("../secret")
    (store / "folder").symlink_to("..")
    os.mkfifo(store / "pipe")
    opened = open_store(str(store), settings=SETTINGS)
    for key in ("link", "folder/secret", "pipe"):
        with pytest.raises(StoreError) as caught:
            opened.get(key, LIMIT)
        assert not isinstance(caught.value, MissingError)
    opened.close()


@pytest.mark.parametrize("url", ["ftp://h/x", "gs://bucket/x", "file:///etc", "/no/such/folder", "a\0b"])
def test_stores_that_are_none(url):
    with pytest.raises(UserError):
        open_store(url, settings=SETTINGS)


# Web servers


@pytest.fixture
def web(monkeypatch):
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    with serving() as web:
        yield web


def test_a_web_server_that_recovers(web, monkeypatch):
    monkeypatch.setattr("random.uniform", lambda *_: 0)  # no wait between attempts
    web.routes["/" + KEY] = once(lambda handler: send(handler, 503), lambda handler: send(handler, 200, BODY))
    store = open_store(web.url, settings=SETTINGS)
    assert store.get(KEY, LIMIT) == BODY
    web.routes["/" + KEY] = lambda handler: send(handler, 500)
    with pytest.raises(StoreError) as caught:
        store.get(KEY, LIMIT)
    assert caught.value.retryable
    web.routes["/" + KEY] = lambda handler: send(handler, 403)
    with pytest.raises(StoreError) as caught:
        store.get(KEY, LIMIT)
    assert (type(caught.value), caught.value.retryable) == (StoreError, False)
    store.close()


def test_objects_are_given_as_they_are_stored(web):
    packed = gzip.compress(BODY)
    web.put("/" + KEY, packed, Content_Encoding="gzip")
    store = open_store(web.url, settings=SETTINGS)
    assert gunzip(store.get(KEY, LIMIT), LIMIT) == BODY
    store.close()


def test_a_signature_in_the_url_is_sent_and_not_shown(web):
    store = open_store(web.url.replace("//", "//me:hunter2@") + "/c?sig=hunter2", settings=SETTINGS)
    with pytest.raises(MissingError) as caught:
        store.get(KEY, LIMIT)
    assert "hunter2" not in str(caught.value)
    assert web.seen[0][0] == f"/c/{KEY}?sig=hunter2"
    store.close()


def test_a_store_on_a_private_address_is_refused_unless_allowed(web, monkeypatch):
    monkeypatch.delenv("STARLOOM_ALLOW_PRIVATE")
    store = open_store(web.url, settings=SETTINGS)
    with pytest.raises(StoreError, match="refused"):
        store.get(KEY, LIMIT)
    assert web.seen == []
    store.close()


# Buckets


def test_a_bucket_that_is_not_public(s3, monkeypatch):
    s3("closed", KEY, BODY)
    store = open_store("s3://closed", settings=SETTINGS)
    with pytest.raises(MissingError, match="not public"):
        store.get(KEY, LIMIT)
    store.close()
    credentials(monkeypatch)
    assert open_store("s3://closed", settings=SETTINGS).get(KEY, LIMIT) == BODY


def test_a_bucket_that_is_not_there(s3, monkeypatch):
    store = open_store("s3://nowhere-to-be-found/x", settings=SETTINGS)
    with pytest.raises(MissingError):
        store.get(KEY, LIMIT)
    store.close()
    credentials(monkeypatch)
    with pytest.raises(StoreError):
        open_store("s3://nowhere-to-be-found/x", settings=SETTINGS).get(KEY, LIMIT)


@pytest.mark.parametrize(
    ("bucket", "prefix", "endpoint", "region", "url"),
    [
        ("softwareheritage", "content", "", "", "https://softwareheritage.s3.amazonaws.com/content"),
        ("b", "", "", "", "https://b.s3.amazonaws.com"),
        ("a.b", "c d", "", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/a.b/c%20d"),
        ("b", "c", "http://minio:9000", "", "http://minio:9000/b/c"),
    ],
)
def test_where_a_public_bucket_is(monkeypatch, bucket, prefix, endpoint, region, url):
    monkeypatch.setenv("AWS_REGION", region)
    assert _public_url(bucket, prefix, endpoint) == url


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///x", "s3://AKIA:hunter2@b/x", "s3://b..c/x", "s3://b/../c", "s3://b/x?a=1"]
)
def test_buckets_that_are_none(url):
    for opening in (lambda: open_store(url, settings=SETTINGS), lambda: open_folder(url)):
        with pytest.raises(UserError) as caught:
            opening()
        assert "hunter2" not in f"{caught.value}{caught.value.hint}"


def test_half_of_the_credentials(monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    with pytest.raises(UserError, match="AWS_SECRET_ACCESS_KEY"):
        open_store("s3://b/c", settings=SETTINGS)


@pytest.mark.parametrize("endpoint", ["minio:9000", "ftp://h", "http://me:hunter2@h:9000", "http://h/path"])
def test_an_endpoint_that_is_none(monkeypatch, endpoint):
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", endpoint)
    with pytest.raises(UserError) as caught:
        open_folder("s3://b/c")
    assert "hunter2" not in f"{caught.value}{caught.value.hint}"


# Tables


@pytest.mark.parametrize("anonymous", [True, False])
def test_tables_in_a_bucket(s3, monkeypatch, anonymous):
    import pyarrow as pa
    from pyarrow import dataset, orc

    table = pa.table({"id": ["a", "b"], "n": [1, 2]})
    sink = pa.BufferOutputStream()
    orc.write_table(table, sink)
    s3("open", "graph/2024/orc/content/0.orc", sink.getvalue().to_pybytes())
    if not anonymous:
        credentials(monkeypatch)
    system, path = open_folder("s3://open/graph/2024/orc/")
    assert path == "open/graph/2024/orc"
    assert dataset.dataset(f"{path}/content", filesystem=system, format="orc").to_table() == table


def test_tables_in_a_folder(tmp_path):
    system, path = open_folder(str(tmp_path))
    assert path == str(tmp_path)
    assert system.get_file_info(path).is_file is False
    with pytest.raises(MissingError):
        open_folder(str(tmp_path / "none"))
    with pytest.raises(UserError):
        open_folder("https://host/tables")


# Gzip


def test_gunzip():
    packed = gzip.compress(BODY)
    assert gunzip(packed, len(BODY)) == BODY
    assert gunzip(packed + packed, 2 * len(BODY)) == BODY * 2
    with pytest.raises(TooLargeError, match="more than"):
        gunzip(packed, len(BODY) - 1)
    for damaged in (
        b"",
        b"plain",
        packed[:-1],
        packed[:100],
        packed + b"x",
        zlib.compress(BODY),
        packed[:-8] + b"x" * 8,
    ):
        with pytest.raises(StoreError) as caught:
            gunzip(damaged, LIMIT)
        assert not isinstance(caught.value, TooLargeError)


def test_a_bomb_stops_at_the_limit():
    bomb = gzip.compress(gzip.compress(bytes(1 << 26)))
    assert len(bomb) < 1000
    inner = gunzip(bomb, LIMIT)
    with pytest.raises(TooLargeError):
        gunzip(inner, LIMIT)


@given(st.binary(max_size=300), st.integers(0, 400), st.booleans())
def test_gunzip_of_anything(data, cut, packed):
    with contextlib.suppress(StoreError):
        assert len(gunzip(gzip.compress(data)[:cut] if packed else data, 200)) <= 200
