"""Contents out of pack files without git: what is usual is read, the rest is left to git, and nothing is wrong."""

import random
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sources import git_packs
from starloom.identity import content_id
from starloom.sources.git import packs
from starloom.sources.git.folder import locate
from starloom.sources.git.objects import contents
from starloom.sources.repository import Wanted
from the_stack.building import code


@pytest.fixture
def history(git):
    """Ten versions of some files, in one pack with deltas: (repository, {content id: bytes})."""
    held = {}
    for version in range(10):
        for number in range(12):
            lines = code(number, 60).split(b"\n")
            lines[version * 5 : version * 5 + 1] = [b"# version %d" % version]
            data = b"\n".join(lines)
            git.put(f"{number}.py", data)
            held[content_id(data)] = data
        git.put("empty", b"")
        git.put("large.txt", b"%d\n" % version + b"x y z\n" * 40_000)
        git.commit()
    held[content_id(b"")] = b""
    for version in range(10):
        data = b"%d\n" % version + b"x y z\n" * 40_000
        held[content_id(data)] = data
    git("repack", "-adfq", "--depth=40", "--window=20")
    return git, held


def wanted(held):
    return [Wanted(b"x", name, len(data)) for name, data in held.items()]


def objects(git):
    return locate(git.path).objects


def pack_of(git, suffix=".pack"):
    (path,) = (git.path / ".git/objects/pack").glob(f"*{suffix}")
    path.chmod(0o644)
    return path


def test_whole_objects_and_deltas(history):
    git, held = history
    told = subprocess.run(
        ["git", "verify-pack", "-v", pack_of(git, ".idx")], capture_output=True, text=True, check=True
    ).stdout
    assert "chain length = 1" in told  # the test is worth something
    found = {one.content_id: one.data for one in packs.read(objects(git), wanted(held))}
    assert found == held


@pytest.mark.parametrize("inflate", ["isal", "zlib"])
def test_with_and_without_the_faster_inflate(history, monkeypatch, inflate):
    git, held = history
    module = pytest.importorskip("isal.isal_zlib") if inflate == "isal" else pytest.importorskip("zlib")
    monkeypatch.setattr(packs, "decompressobj", module.decompressobj)
    assert {one.content_id: one.data for one in packs.read(objects(git), wanted(held))} == held


def test_what_is_not_asked_for_as_it_is_is_left_out(history):
    git, held = history
    lies = [Wanted(b"x", name, len(data) + 1) for name, data in held.items()]
    assert list(packs.read(objects(git), lies)) == []
    tree = git("rev-parse", "HEAD^{tree}")
    size = int(git("cat-file", "-s", tree))
    assert list(packs.read(objects(git), [Wanted(b"x", tree, size), Wanted(b"x", "ab" * 20, 3)])) == []


def test_limits_leave_it_to_git(history, monkeypatch):
    git, held = history
    monkeypatch.setattr(packs, "MAX_CHAIN", 0)
    some = {one.content_id for one in packs.read(objects(git), wanted(held))}
    assert 0 < len(some) < len(held)
    monkeypatch.setattr(packs, "MAX_OBJECT", 1000)
    assert {one.content_id for one in packs.read(objects(git), wanted(held))} <= {content_id(b"")}
    assert {one.content_id: one.data for one in contents(locate(git.path), wanted(held))} == held


def test_flipped_bits_give_nothing_wrong(history):
    """In pack and index; what is not given is asked of git, whose answer is hashed too."""
    git, held = history
    dice = random.Random("flips")
    missing = 0
    for path in (pack_of(git), pack_of(git, ".idx")):
        whole = path.read_bytes()
        for _ in range(150):
            damaged = bytearray(whole)
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
            path.write_bytes(damaged)
            found = {one.content_id: one.data for one in packs.read(objects(git), wanted(held))}
            assert found.items() <= held.items()
            missing += len(found) < len(held)
        path.write_bytes(whole)
    assert missing > 50  # the flips were met


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
@pytest.mark.parametrize("suffix", [".pack", ".idx"])
def test_a_file_cut_short(history, suffix, share):
    git, held = history
    path = pack_of(git, suffix)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    found = {one.content_id: one.data for one in packs.read(objects(git), wanted(held))}
    assert found.items() <= held.items()
    assert share > 0.9 or len(found) < len(held)


def test_a_link_is_not_followed(history, tmp_path):
    git, held = history
    place, path = objects(git), pack_of(git)
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    assert list(packs.read(place, wanted(held))) == []


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_any_delta_gives_an_answer(base, delta):
    try:
        made = packs._applied(base, delta)
    except (IndexError, ValueError):
        return
    assert len(made) <= packs.MAX_OBJECT


@given(st.binary(min_size=1, max_size=40))
def test_any_head_gives_an_answer(data):
    for read in (packs._head, packs._back):
        try:
            read(data) if read is packs._head else read(data, 0)
        except (IndexError, ValueError):
            continue


def test_a_bomb_of_copies_is_bounded():
    """A small delta that says again and again: all of it."""
    base = b"x" * 0xFFFF
    for size in (1 << 40, 1 << 20):
        delta = git_packs.delta(len(base), size, *[git_packs.copy(0, 0xFFFF)] * 10_000)
        with pytest.raises(ValueError, match="delta"):
            packs._applied(base, delta)
