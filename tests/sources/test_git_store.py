"""Objects read without git: the same as git says, whatever they are packed as, and nothing for what is crafted."""

import struct
import subprocess
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as some
from tests.sources import git_packs

from starloom.sources.git import pack_index
from starloom.sources.git.config import plain_settings
from starloom.sources.git.delta import applied, lengths
from starloom.sources.git.pack import ERRORS
from starloom.sources.git.source import GitSource
from starloom.sources.git.store import Store
from starloom.sources.repository import Wanted

KINDS = (b"blob", b"tree", b"commit")


def truth(git):
    """{name: (kind, bytes)} of every object, by git."""
    listed = git("cat-file", "--batch-all-objects", "--batch-check").splitlines()
    found = {}
    for line in listed:
        name, kind, _ = line.split()
        found[bytes.fromhex(name)] = (kind.encode(), git("cat-file", kind, name, text=False))
    return found


def all_read(git, objects):
    """Whether each of the objects is read, and sized, as it is."""
    names = list(objects)
    with Store(str(git.path / ".git/objects")) as store:
        assert store.sizes(names) == [len(data) for _, data in objects.values()]
        for name, (kind, data) in objects.items():
            assert store.read(kind, name) == data
            assert all(store.read(other, name) is None for other in KINDS if other != kind)
        files = {name: data for name, (kind, data) in objects.items() if kind == b"blob"}
        assert list(store.contents(list(files), [len(data) for data in files.values()])) == list(files.values())
        assert store.read(b"blob", bytes(20)) is None
        assert store.sizes([bytes(20)]) == [None]


@pytest.fixture
def history(git):
    """Files that change a little from commit to commit, one of them larger than what is read ahead."""
    for number in range(12):
        lines = [b"line %d, %d\n" % (n, n * n % 97) for n in range(9_000)]
        lines[number * 40 : number * 40] = [b"more %d\n" % number]
        git.write(
            **{
                "large": b"".join(lines),
                f"d/f{number % 4}": b"".join(lines[: 10 * number]),
                "e": b"",
                "a.py": b"alpha\n",
            }
        )
        git.write(**{"e": b"", "a.py": b"alpha\n"})
        git.commit()
    return git


@pytest.mark.parametrize(
    "packing",
    [
        [],  # loose
        ["repack", "-q", "-a", "-d", "-f", "--depth=50"],
        ["-c", "repack.useDeltaBaseOffset=false", "repack", "-q", "-a", "-d", "-f"],  # deltas that name their base
        ["-c", "core.compression=0", "repack", "-q", "-a", "-d", "-F"],  # stored in more bytes than they have
        ["-c", "pack.packSizeLimit=1m", "-c", "core.compression=0", "repack", "-q", "-a", "-d", "-F"],  # several packs
    ],
)
def test_as_git_reads_them(history, packing):
    objects = truth(history)
    if packing:
        history(*packing)
    all_read(history, objects)


def test_loose_and_packed_ones(history):
    history("gc", "-q")
    history.write(new=b"loose\n")
    history.commit()
    all_read(history, truth(history))


def test_an_index_of_which_little_is_held(history, monkeypatch):
    objects = truth(history)
    history("gc", "-q")
    monkeypatch.setattr(pack_index, "HELD", 0)
    monkeypatch.setattr(pack_index, "_FEW", 0)
    all_read(history, objects)


def test_places_of_eight_bytes(git):
    """As in packs of more than 2 GB."""
    data = [b"one\n", b"two\n", b"three\n"]
    pack = git_packs.write(git, {git_packs.blob_id(one): git_packs.entry(git_packs.BLOB, one) for one in data})
    index = pack.with_suffix(".idx").read_bytes()
    start = 8 + 1024 + 24 * len(data)
    near = struct.unpack(">3I", index[start : start + 12])
    far = struct.pack(">3I", *[1 << 31 | n for n in range(3)]) + struct.pack(">3Q", *near)
    pack.with_suffix(".idx").write_bytes(index[:start] + far + index[start + 12 :])
    all_read(git, {bytes.fromhex(git_packs.blob_id(one)): (b"blob", one) for one in data})
    for wrong in (1 << 62, (1 << 64) - 1):
        far = struct.pack(">3I", *[1 << 31 | n for n in range(3)]) + struct.pack(">3Q", *[wrong] * 3)
        pack.with_suffix(".idx").write_bytes(index[:start] + far + index[start + 12 :])
        with Store(str(git.path / ".git/objects")) as store:
            assert store.read(b"blob", bytes.fromhex(git_packs.blob_id(data[0]))) is None


def test_sizes_as_headers_announce_them(git):
    """Up to the greatest that is written; another number for each object, and none of them true."""
    sizes = [size for bits in range(60) for size in (1 << bits, (2 << bits) - 1)]
    objects = {b"%d" % size: size for size in sizes}
    git_packs.write(
        git,
        {git_packs.blob_id(data): git_packs.entry(git_packs.BLOB, data, size) for data, size in objects.items()},
    )
    names = [bytes.fromhex(git_packs.blob_id(data)) for data in objects]
    with Store(str(git.path / ".git/objects")) as store:
        assert store.sizes(names) == list(objects.values())
        assert store.sizes(names[::-1] + names) == list(objects.values())[::-1] + list(objects.values())


@pytest.mark.parametrize("packed", [False, True])
def test_no_program_is_started(history, monkeypatch, packed):
    if packed:
        history("gc", "-q")
    files = {path: history("cat-file", "blob", f"HEAD:{path}", text=False) for path in ("d/f1", "large", "a.py")}
    monkeypatch.setattr(subprocess, "Popen", None)
    source = GitSource.at(history.path, "public")
    entries = {entry.path: entry for entry in source.entries(1 << 30)}
    wanted = [Wanted(one.raw_path, one.content_id, one.size) for one in (entries[path] for path in files)]
    assert [one.data for one in source.contents(wanted)] == list(files.values())


ORDERS = some.lists(
    some.one_of(
        some.binary(min_size=1, max_size=127),
        some.tuples(some.integers(0, 70_000), some.integers(1, 70_000)),
    )
)


def order(start, size):
    """A copy as git writes it: bytes that are zero are left out, and the size altogether where it is 65,536."""
    size = 0 if size == 0x10000 else size
    parts = [start >> 8 * n & 0xFF for n in range(4)] + [size >> 8 * n & 0xFF for n in range(3)]
    return bytes([0x80 | sum(1 << n for n, one in enumerate(parts) if one)]) + bytes(one for one in parts if one)


@given(some.binary(max_size=50), ORDERS)
def test_a_delta_makes_what_its_orders_say(seed, orders):
    base = (seed or b"-") * 3_000
    base += bytes(140_000 - len(base))
    expected, written = b"", b""
    for one in orders:
        expected += one if isinstance(one, bytes) else base[one[0] : sum(one)]
        written += bytes([len(one)]) + one if isinstance(one, bytes) else order(*one)
    delta = git_packs.delta(len(base), len(expected), written)
    assert lengths(delta) == (len(base), len(expected))
    assert applied(base, delta, len(expected)) == expected
    with pytest.raises(ERRORS):
        applied(base, delta, len(expected) - 1)
    with pytest.raises(ERRORS):
        applied(base[1:], delta, len(expected))


@given(some.binary(min_size=1, max_size=200), some.binary(max_size=60), some.integers(0, 200))
def test_any_bytes_as_a_delta(base, orders, made):
    delta = git_packs.delta(len(base), made, orders)
    with suppress(*ERRORS):  # nothing else is raised
        assert len(applied(base, delta, 200)) == made


COMMON = """
[core]|[Core]|[remote "a.B"]|[remote "x"] |[a.b]|[]|bare|\tbare = true|x=1 2  |url = "q"|url = a;b|# c|;| # c||\t|k =
K-1 = v\t|1k = v|k = a\tb|[x]k = v|k = \u00e9|k v|include.path = /x|[include]|path = other|k = \\""".replace("\n", "|")
LINES = some.lists(
    some.one_of(some.sampled_from(COMMON.split("|")), some.text("[]\"' =k#;\\\t.A1-", max_size=8)), max_size=6
)


@given(LINES)
def test_settings_are_those_of_git(lines):
    data = "\n".join(lines).encode()
    found = plain_settings(data)
    if found is None:
        return
    argv = ["git", "config", "--file", "-", "--no-includes", "-z", "--list"]
    git = subprocess.run(argv, input=data, capture_output=True, check=True)
    pairs = (item.partition("\n") for item in git.stdout.decode().split("\0"))
    assert found == {key: value if between else "true" for key, between, value in pairs if key}


def test_settings_of_a_clone_need_no_git(git):
    git("remote", "add", "origin", "https://user@example.org/a/b.git")
    found = plain_settings((git.path / ".git/config").read_bytes())
    assert found["remote.origin.url"] == "https://user@example.org/a/b.git"
    assert found["core.repositoryformatversion"] == "0"
