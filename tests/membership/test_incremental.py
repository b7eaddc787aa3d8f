"""The index made again over the one that is there: same answers as a fresh one, little work, readers undisturbed."""

import dataclasses
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from membership.conftest import make_index, write_index
from starloom.membership import layout, plan
from starloom.membership.check import Index
from starloom.membership.plan import MOST_SEGMENTS
from starloom.workspace.manifest import read_manifest, verify
from the_stack.building import code

TESTS = Path(__file__).parents[1]
BANNER = "".join(
    f"# This file belongs to the great tool of ours, chapter {k}, and has a long banner.\n" for k in range(6)
)
TEXTS = [
    (BANNER if k % 3 else "") + code(k, 4 + 3 * (k % 5)).decode() + ("0, 0, 0,\n" * 60 if k % 4 == 0 else "")
    for k in range(60)
]


def told(found):
    return dataclasses.replace(found, seconds=0.0)


def facts(root):
    return read_manifest(root / layout.FOLDER).facts


def segments(root):
    return [[(one["segment"], one["rows"]) for one in some] for some in facts(root)["shards"]]


def assert_as_fresh(root, memory, texts, *, asked, **options):
    fresh = memory / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    write_index(fresh, texts, **options)
    one, other = Index.open(root), Index.open(fresh)
    assert verify(root / layout.FOLDER) == []
    assert (one.files, one.repositories) == (other.files, other.repositories)
    for text in asked:
        for split in (None, "train"):
            assert told(one.check(text, 5, split=split, renamed=True)) == told(
                other.check(text, 5, split=split, renamed=True)
            )


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    versions=st.lists(st.sets(st.integers(0, len(TEXTS) - 1), max_size=40), min_size=2, max_size=4),
    shards=st.sampled_from([1, 3]),
)
def test_any_history(memory, versions, shards):
    root = memory / "history"
    shutil.rmtree(root, ignore_errors=True)
    for version in versions:
        texts = [TEXTS[k] for k in sorted(version)]
        write_index(root, texts, shards=shards)
    dice = random.Random(len(versions))
    asked = [*dice.sample(TEXTS, 5), BANNER * 2, "0, 0, 0,\n" * 100, TEXTS[3] + TEXTS[7]]
    assert_as_fresh(root, memory, texts, asked=asked, shards=shards)


def test_only_what_is_new_is_read(memory):
    root = memory / "new"
    write_index(root, TEXTS[:50])
    before = {path.name: path.stat().st_ino for path in (root / layout.FOLDER / "00").iterdir()}
    write_index(root, TEXTS[:52])
    assert facts(root)["kept"] == 50
    assert facts(root)["read_bytes"] == sum(len(text.encode()) for text in TEXTS[50:52])
    assert segments(root) == [[(0, 50), (1, 2)]]
    after = {path.name: path.stat().st_ino for path in (root / layout.FOLDER / "00").iterdir()}
    for name in layout.immutable(True):
        assert before[f"0-{name}.bin"] == after[f"0-{name}.bin"]  # linked


def test_what_left_is_gone_from_answers_at_once(memory):
    root = memory / "left"
    write_index(root, TEXTS[1:41])
    reader = Index.open(root)
    write_index(root, TEXTS[2:41])
    assert facts(root)["read_bytes"] == 0
    gone = code(1, 4 + 3).decode()
    assert gone in TEXTS[1]
    index = Index.open(root)
    assert index.check(gone).status == "no_match"
    assert index.check(BANNER).matches[0].total == reader.check(BANNER).matches[0].total - 1
    assert reader.check(gone).status == "match"  # a reader keeps what it opened
    for old, wiped in ((reader, False), (index, True)):
        (shard,) = old.shard.shards
        assert (gone.split(chr(10))[0].encode() in shard.segments[0].text.tobytes()) is not wiped
    write_index(root, TEXTS[1:41])  # and back again
    assert facts(root)["kept"] == 39
    assert Index.open(root).check(gone).status == "match"


def test_a_shard_with_more_gone_than_living_is_made_anew(memory):
    root = memory / "anew"
    write_index(root, TEXTS)
    write_index(root, TEXTS[:10])
    assert segments(root) == [[(0, 10)]]
    assert facts(root)["kept"] == 0
    write_index(root, [])
    assert segments(root) == [[]]
    assert Index.open(root).check(TEXTS[0]).status == "no_match"


def test_segments_stay_few(memory):
    root = memory / "few"
    for count in range(1, len(TEXTS) + 1, 2):
        write_index(root, TEXTS[:count])
        assert len(segments(root)[0]) < 7
    assert facts(root)["files"] == len(TEXTS) - 1


def test_too_many_segments_are_joined(memory, monkeypatch):
    monkeypatch.setattr(plan, "_LARGER", 0)  # none is taken in for its size
    root = memory / "many"
    for count in range(1, 13):
        write_index(root, TEXTS[:count])
        assert len(segments(root)[0]) <= MOST_SEGMENTS
    assert_as_fresh(root, memory, TEXTS[:12], asked=TEXTS[:14:3])


def test_another_split(memory):
    root = memory / "split"
    write_index(root, TEXTS[:5], TEXTS[5:9], splits=("train", "held_out"))
    alone = code(6, 4 + 3).decode()
    assert Index.open(root).check(alone, split="train").status == "no_match"
    write_index(root, TEXTS[:9], splits=("train",))
    assert facts(root)["read_bytes"] == 0
    assert Index.open(root).check(alone, split="train").status == "match"


@pytest.mark.parametrize("change", [{"profile": 32}, {"shards": 2}, {"renamed": False}])
def test_other_settings_make_it_anew(memory, change):
    root = memory / f"other {change}"
    write_index(root, TEXTS[:9])
    write_index(root, TEXTS[:9], **change)
    assert facts(root)["kept"] == 0
    assert Index.open(root).check(TEXTS[0]).status == "match"


def test_a_damaged_shard_is_made_anew_and_the_others_stay(memory):
    root = memory / "mended"
    write_index(root, TEXTS, shards=3)
    path = root / layout.FOLDER / "01" / "0-text.bin"
    rows = segments(root)[1][0][1]
    path.unlink()  # the others share its inode with nobody
    path.write_bytes(b"?")
    write_index(root, TEXTS, shards=3)
    assert facts(root)["kept"] == len(TEXTS) - rows
    assert_as_fresh(root, memory, TEXTS, asked=TEXTS[::7], shards=3)


_DIES = """
import os, signal, sys
from membership import conftest
from starloom.membership import {module}

real, left = {module}.{function}, {calls}

def dies(*given, **more):
    global left
    left -= 1
    if left < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return real(*given, **more)

{module}.{function} = dies
conftest.make_index(sys.argv[1])
"""


@pytest.mark.parametrize(
    ("module", "function", "calls"), [("tiles", "tile_part", 0), ("tiles", "write_segment", 0), ("places", "write", 0)]
)
def test_killed_and_resumed(real, tmp_path, module, function, calls):
    """Whenever the process dies: what was there answers on, and the next run makes what an undisturbed one makes."""
    root = tmp_path / "w"
    shutil.copytree(real.root, root)
    before = {path.name: path.read_bytes() for path in (root / layout.FOLDER).rglob("*.bin")}
    stale = (root / "starloom.toml").read_text() + "\n[membership]\nprofile = 32\n"
    (root / "starloom.toml").write_text(stale)
    text = _DIES.format(module=module, function=function, calls=calls)
    done = subprocess.run(
        [sys.executable, "-c", text, str(root)], cwd=TESTS, capture_output=True, check=False, timeout=120
    )
    assert done.returncode == -signal.SIGKILL, done.stderr.decode()
    assert Index.open(root).width == 50
    assert before == {path.name: path.read_bytes() for path in (root / layout.FOLDER).rglob("*.bin")}
    make_index(root)
    assert Index.open(root).width == 32
    assert [path for path in root.rglob("*") if ".aside" in path.name] == []
    assert verify(root / layout.FOLDER) == []


FIELDS = [("start", pa.int32()), ("end", pa.int32()), ("kind", pa.string())]
KINDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
REDACTION = st.fixed_dictionaries({"start": st.integers(0, 2**31 - 1), "end": st.integers(0, 2**31 - 1), "kind": KINDS})


@given(st.lists(st.none() | st.lists(REDACTION, max_size=4), max_size=6), st.integers(0, 6))
def test_what_was_replaced_as_a_number(rows, cut):
    kind = pa.struct([pa.field(name, kind, nullable=False) for name, kind in FIELDS])
    column = pa.chunked_array([pa.array(some, pa.list_(kind)) for some in (rows[:cut], rows[cut:])])
    texts = [json.dumps(row, sort_keys=True).encode() for row in rows if row]
    wanted = iter([int.from_bytes(hashlib.sha256(text).digest()[:8], "little") | 1 for text in texts])
    assert plan._marks(column).tolist() == [next(wanted) if row else 0 for row in rows]
