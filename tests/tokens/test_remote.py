"""Tokens from afar: the same as here; each page fetched once, checked wherever it comes from, or refused."""

import json
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from outside.test_object_store import credentials, s3, s3_server  # noqa: F401 - fixtures
from outside.web import send, serving
from starloom.commands.tokens import export, show
from starloom.errors import UserError
from starloom.kernels import best_fit, bundles, gather  # noqa: F401 - found compiled, before the cache is moved
from starloom.outside.http import HttpSettings
from starloom.tokens import remote, shards
from starloom.tokens.block_cache import BlockCache, cache_limit
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.packed import Packed
from starloom.tokens.remote import PAGE_BYTES, opened
from starloom.tokens.samples import Recipe, Samples, open_sources
from starloom.workspace.manifest import NAME, read_manifest, to_bytes
from tokens.packing import packed

CODE = shards.stream_name(shards.ONLY, 0)
TOKENS = 2_000_000  # 4 MB: three shards, of two pages, two and one
SHARD = 1_500_000 // shards.BLOCK_BYTES * shards.BLOCK_BYTES


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    """Packed tokens in a folder."""
    dice = np.random.default_rng(5)
    ends = np.sort(dice.choice(TOKENS - 1, 400, replace=False)) + 1
    stream = np.split(dice.integers(1, 50, TOKENS), ends)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shards, "SHARD_BYTES", SHARD)
        return packed(tmp_path_factory.mktemp("here") / "tokens", [one.tolist() for one in stream], chunk=100_000)


def names(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("STARLOOM_ALLOW_PRIVATE", "1")
    monkeypatch.delenv("STARLOOM_CACHE_BYTES", raising=False)
    return tmp_path / "cache" / "starloom" / "tokens"


@pytest.fixture
def web(here):
    with serving() as server:
        for name in names(here):
            server.put(f"/t/{name}", (here / name).read_bytes())
        yield server


def stream_of(url):
    return opened(url, None).stream(shards.ONLY, 0)


def pages(web):
    """The ranges that were asked for."""
    return [(path, headers["Range"]) for path, headers in web.seen if "Range" in headers]


def test_the_same_as_here(here, web):
    far, near = stream_of(f"{web.url}/t"), Packed.open(here).stream(shards.ONLY, 0)
    assert opened(f"{web.url}/t", None).fingerprint == Packed.open(here).fingerprint
    assert (far.tokens, far.documents, far.name) == (near.tokens, near.documents, near.name)
    assert np.array_equal(far.starts, near.starts)
    assert np.array_equal(far.read(0, TOKENS), near.read(0, TOKENS))
    asked = pages(web)
    assert len(asked) == len(set(asked)) == 6  # of 1.5 MB each shard has a whole page and a part of one
    assert far.payload.tokens == TOKENS


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, TOKENS), st.integers(0, 900_000))
def test_any_range(here, web, start, size):
    far, near = stream_of(f"{web.url}/t"), Packed.open(here).stream(shards.ONLY, 0)
    stop = min(start + size, TOKENS)
    assert np.array_equal(far.read(start, stop), near.read(start, stop))


@pytest.mark.parametrize("public", [True, False], ids=["public", "credentials"])
def test_a_bucket(here, request, monkeypatch, public):
    put = request.getfixturevalue("s3")
    for name in names(here):
        put("open" if public else "closed", f"some/tokens/{name}", (here / name).read_bytes())
    if not public:
        credentials(monkeypatch)
    far = stream_of(f"s3://{'open' if public else 'closed'}/some/tokens")
    near = Packed.open(here).stream(shards.ONLY, 0)
    assert np.array_equal(far.read(700_000, 800_000), near.read(700_000, 800_000))


def test_samples_of_a_mixture_of_both(here, web, tmp_path):
    """The batches are those of the folder, and pages begin to come before they are copied."""
    mixture = [MixtureSource("far", tokens=f"{web.url}/t"), MixtureSource("near", tokens=str(here))]
    same = [MixtureSource("far", tokens=str(here)), MixtureSource("near", tokens=str(here))]
    recipe = Recipe(512, 3, weights=(("far", 2.0), ("near", 1.0)))
    one, two = (Samples(open_sources(tmp_path, some), recipe, 0) for some in (mixture, same))
    assert one.fingerprint == two.fingerprint
    for start in (0, 1000):
        positions = np.arange(start, start + 16)
        found, wanted = one.batch(positions), two.batch(positions)
        assert np.array_equal(found.ids, wanted.ids)
        assert np.array_equal(found.targets, wanted.targets)


def test_each_page_comes_once_however_many_want_it(here, web):
    far, near = stream_of(f"{web.url}/t"), Packed.open(here).stream(shards.ONLY, 0)
    starts = np.random.default_rng(1).integers(0, TOKENS - 1000, 200)
    far.payload.want(starts, np.full(200, 1000))
    gate = threading.Barrier(8)

    def some(number):
        gate.wait()
        return all(
            np.array_equal(far.read(at, at + 1000), near.read(at, at + 1000)) for at in starts[number::8].tolist()
        )

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(some, range(8)))
    assert len(pages(web)) == len(set(pages(web))) == 6


def test_another_process_reads_from_this_disk(here, web, cache):
    whole = stream_of(f"{web.url}/t").read(0, TOKENS)
    before = len(web.seen)
    assert sum(path.stat().st_size for path in (cache / "pages").rglob("*") if path.is_file()) == 2 * TOKENS
    again = stream_of(f"{web.url}/t")
    assert np.array_equal(again.read(0, TOKENS), whole)
    assert web.paths()[before:] == [f"/t/{NAME}"]  # which tells whether the tokens are still the same


def test_what_was_damaged_on_this_disk_is_fetched_again(here, web, cache):
    whole = stream_of(f"{web.url}/t").read(0, TOKENS)
    for number, path in enumerate(sorted(path for path in cache.rglob("*") if path.is_file())):
        data = bytearray(path.read_bytes())
        data[number] ^= 1
        path.write_bytes(data if number % 2 else data[:-1])
    before = len(pages(web))
    assert np.array_equal(stream_of(f"{web.url}/t").read(0, TOKENS), whole)
    assert len(pages(web)) == before + 6


def test_the_cache_stays_within_its_limit(here, web, cache, monkeypatch):
    monkeypatch.setenv("STARLOOM_CACHE_BYTES", str(2 * PAGE_BYTES))
    stream = stream_of(f"{web.url}/t")
    stream.read(0, TOKENS)
    assert 0 < sum(path.stat().st_size for path in (cache / "pages").rglob("*") if path.is_file()) <= 2 * PAGE_BYTES
    monkeypatch.setenv("STARLOOM_CACHE_BYTES", "0")
    shutil.rmtree(cache)
    assert len(stream_of(f"{web.url}/t").read(0, TOKENS)) == TOKENS
    assert not (cache / "pages").exists()
    monkeypatch.setenv("STARLOOM_CACHE_BYTES", "20 GB")
    with pytest.raises(UserError, match="STARLOOM_CACHE_BYTES"):
        cache_limit()


def test_a_cache_that_cannot_be_written(here, web, cache, capsys):
    cache.mkdir(parents=True)
    (cache / "pages").write_text("in the way")
    assert len(stream_of(f"{web.url}/t").read(0, TOKENS)) == TOKENS
    assert capsys.readouterr().err.count("are not kept in") == 1


def test_the_oldest_pages_go_first(tmp_path):
    cache = BlockCache(tmp_path, 1000)
    for number in range(10):
        cache.put(f"p{number}", b"x" * 100)
        os.utime(tmp_path / f"p{number}"[:2] / f"p{number}", (number, number))
    assert cache.get("p0")  # used again: not the oldest any more
    cache.put("pa", b"y" * 100)
    assert cache.get("p1") is None
    assert cache.get("p0") == b"x" * 100
    assert cache.get("pa") == b"y" * 100
    cache.put("too large", b"z" * 1001)
    assert cache.get("too large") is None


def test_commands_take_a_url(here, web, tmp_path, capsys):
    show.main(["--tokens", f"{web.url}/t", "--sequence", "512", "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["folder"] == f"{web.url}/t"
    export.main(["megatron", str(tmp_path / "far"), "--tokens", f"{web.url}/t"], standalone_mode=False)
    export.main(["megatron", str(tmp_path / "near"), "--tokens", str(here)], standalone_mode=False)
    assert (tmp_path / "far.bin").read_bytes() == (tmp_path / "near.bin").read_bytes()


# --- what is not as it should be ----------------------------------------------------------------------------------


def flipped(data, place):
    found = bytearray(data)
    found[place] ^= 1
    return bytes(found)


def test_a_flipped_bit(here, web, cache):
    shard = f"{CODE}/tokens-00001.bin"
    web.put(f"/t/{shard}", flipped((here / shard).read_bytes(), 70_000))
    stream = stream_of(f"{web.url}/t")
    assert len(stream.read(0, 1000)) == 1000
    at = SHARD // 2 + 35_000
    for _ in range(2):  # it is not kept
        with pytest.raises(UserError) as caught:
            stream.read(at, at + 9)
        assert f"/t/{shard} is damaged between bytes 65,536 and 131,072" in caught.value.problem
        assert "upload" in caught.value.hint


@pytest.mark.parametrize("table", ["checksums.bin", "documents.parquet", "pieces.parquet"])
def test_a_table_that_is_not_the_manifests(here, web, table):
    web.put(f"/t/{CODE}/{table}", flipped((here / CODE / table).read_bytes(), 9))
    with pytest.raises(UserError, match=f"/t/{CODE}/{table} is not what its manifest says"):
        stream_of(f"{web.url}/t")


def said(here, **facts):
    manifest = read_manifest(here)
    manifest.facts.update(facts)
    return to_bytes(manifest)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"{}", "manifest.json is damaged"),
        (None, "has no manifest.json"),
        ({"vocabulary": 40}, "token 49 in a vocabulary of 40"),
        ({"vocabulary": 1 << 17}, "checksums.bin is not of its shards|ends within|do not hold"),
        ({"sources": ["../x"], "streams": {"../x-0": {"tokens": 1, "documents": 1}}}, "no ../x-0/checksums.bin"),
        ({"streams": {CODE: {"tokens": 3, "documents": 1}}}, "do not hold the 3 tokens"),
        ({"streams": {}}, "does not say what packed tokens are"),
    ],
    ids=["no manifest of ours", "missing", "vocabulary", "width", "folder", "tokens", "streams"],
)
def test_a_manifest_that_is_none_of_theirs(here, web, tmp_path, data, words):
    if data is None:
        del web.routes[f"/t/{NAME}"]
    else:
        web.put(f"/t/{NAME}", said(here, **data) if isinstance(data, dict) else data)
    with pytest.raises(UserError, match=words) as caught:
        stream_of_first(f"{web.url}/t")
    assert web.url in caught.value.problem
    assert caught.value.hint
    assert not list(tmp_path.rglob("x-0"))


def stream_of_first(url):
    found = opened(url, None)
    return found.stream(found.sources[0], 0).read(0, TOKENS)


def test_a_shard_that_is_missing_or_short(here, web, monkeypatch):
    monkeypatch.setattr(remote, "HttpSettings", lambda **some: HttpSettings(**some, attempts=1))
    shard = f"{CODE}/tokens-00002.bin"
    stream = stream_of(f"{web.url}/t")
    web.put(f"/t/{shard}", (here / shard).read_bytes()[:-2])
    with pytest.raises(UserError, match=f"{shard} cannot be read: .* bytes"):
        stream.read(TOKENS - 9, TOKENS)
    del web.routes[f"/t/{shard}"]
    with pytest.raises(UserError, match=f"has no {shard}"):
        stream.read(TOKENS - 9, TOKENS)


def test_a_server_that_knows_no_ranges(here, web):
    stream = stream_of(f"{web.url}/t")
    shard = f"/t/{CODE}/tokens-00000.bin"
    body = (here / CODE / "tokens-00000.bin").read_bytes()
    web.routes[shard] = lambda handler: send(handler, 200, body)
    with pytest.raises(UserError, match="no ranges"):
        stream.read(0, 9)


def test_another_kind_of_folder(web):
    with pytest.raises(UserError, match="no store of a kind that is known"):
        opened("ftp://example.org/tokens", None)
