"""`pair` builds on its last run, and nothing shows it: whatever came, went or changed, the bytes are those of a run
from scratch. And what it does with pairs that nobody verifies."""

import random
import shutil

import numpy as np
import pyarrow.parquet as pq
import pytest

from starloom.dedup.signature import MinHashSettings, measure
from starloom.the_stack import tables
from the_stack import building
from the_stack.building import code

FILES = ("manifest.json", "members.parquet", "pairs.parquet", "rejected.parquet", "streams.parquet")


def outputs(root):
    return {path.name: path.read_bytes() for path in sorted((root / "pairs").iterdir())}


def from_scratch(workspace):
    """The stage's files as a run makes them that has no other to build on."""
    root = workspace.root.with_name(workspace.root.name + "-scratch")
    shutil.rmtree(root, ignore_errors=True)
    shutil.copytree(workspace.root, root)
    shutil.rmtree(root / "pairs")
    workspace = building.Workspace.__new__(building.Workspace)
    workspace.root = root
    workspace.build("pair")
    assert "known from" not in workspace.runs()[-1]["note"]
    return outputs(root)


def again(workspace):
    """The run log's entry of the stage, built once more."""
    before = len(workspace.runs())
    workspace.build("pair")
    (entry,) = [entry for entry in workspace.runs()[before:] if entry["stage"] == "pair"]
    return entry


def words(seed, count):
    dice = random.Random(f"words {seed}")
    return ["".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(count)]


def hot(number, body=60):
    """One of a family whose files share 400 words, and so buckets: alike at about .77 (60 words of its own each, too
    little for the floor of these tests) to .98 (4)."""
    return " ".join([*words("header", 400), *words(f"body {number}", body)]).encode()


@pytest.fixture
def small(tmp_path, folder):
    source = folder("a", {"a.py": code("a"), "b.py": code("b"), "c.py": code("c")})
    made = building.Workspace(tmp_path / "workspace", source)
    made.source = source
    return made.build("pair")


def near(seed):
    return code(seed).replace(b"return", b"yield", 1)


def test_only_what_is_new_is_read(small):
    building.put(small.source, {"near-a.py": near("a")})
    entry = again(small)
    assert entry["bytes"] == len(code("a")) + len(near("a"))
    building.put(small.source, {"near-b.py": near("b"), "c.py": None, "unlike.py": code("unlike")})
    entry = again(small)
    assert entry["bytes"] == len(code("b")) + len(near("b"))
    assert "2 candidate pairs verified, 2 at Jaccard 0.6 or more; 1 known from the last run" in entry["note"]
    assert outputs(small.root) == from_scratch(small)
    assert tuple(outputs(small.root)) == FILES
    assert len(small.pairs()) == 2


def test_a_stream_may_change_its_name(small):
    """The least content_id that has a stream names it: what was known of it holds under the new name."""
    building.put(small.source, {"near-a.py": near("a")})
    small.build("pair")
    (old,) = small.pairs()
    for number in range(8):  # each halves the chance that the name stays
        building.put(small.source, {f"loud-{number}.py": b"\n" * number + near("a").upper()})
    assert again(small)["bytes"] == 0
    (new,) = small.pairs()
    assert new != old
    assert small.facts("pairs")["same_stream"] == 9
    building.put(small.source, {f"loud-{number}.py": None for number in range(8)})
    assert again(small)["bytes"] == 0
    assert set(small.pairs()) == {old}
    assert outputs(small.root) == from_scratch(small)


def test_what_was_gone_is_compared_again(small):
    building.put(small.source, {"near-a.py": near("a")})
    small.build("pair")
    building.put(small.source, {"near-a.py": None})
    small.build("pair")
    assert small.pairs() == {}
    building.put(small.source, {"near-a.py": near("a")})
    assert again(small)["bytes"] == len(code("a")) + len(near("a"))
    assert len(small.pairs()) == 1


@pytest.mark.parametrize(
    "settings",
    ["[pair]\nfloor = 0.65\n", "[minhash]\nseed = 7\n"],
    ids=["floor", "seed"],
)
def test_other_settings_build_on_nothing(small, settings):
    building.put(small.source, {"near-a.py": near("a")})
    small.build("pair")
    small.configure(settings)
    entry = again(small)
    assert entry["bytes"] == len(code("a")) + len(near("a"))
    assert "known from" not in entry["note"]


@pytest.mark.parametrize("name", ["members.parquet", "pairs.parquet", "rejected.parquet"])
def test_a_damaged_output_is_not_built_on(small, name):
    building.put(small.source, {"near-a.py": near("a")})
    small.build("pair")
    path = small.root / "pairs" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    building.put(small.source, {"d.py": code("d")})
    assert again(small)["bytes"] == len(code("a")) + len(near("a"))
    assert outputs(small.root) == from_scratch(small)


def edit(dice, source, present):
    """Some files come, go, change their paths (and so their place among the best of a bucket) and their case."""
    kinds = [lambda k: hot(k), lambda k: hot(k, 4), lambda k: code(k % 10), lambda k: near(k % 10)]
    for _ in range(dice.randint(1, 12)):
        kind = dice.randrange(len(kinds) + 3)
        number = dice.randrange(60)
        if kind < len(kinds):
            data = kinds[kind](number)
            present[f"{dice.randrange(100):02}-{kind}-{number}.txt"] = data.upper() if dice.random() < 0.2 else data
        elif present:
            name = dice.choice(sorted(present))
            data = present.pop(name)
            if kind > len(kinds):
                present[f"{dice.randrange(100):02}-moved-{number}.txt"] = data
    shutil.rmtree(source)
    building.folder(source, present)


def test_the_history_leaves_no_trace(tmp_path):
    """Buckets grow over the cap of 64 and shrink below it again, and their best change."""
    dice = random.Random("history")
    source = tmp_path / "sources" / "a"
    present = {f"{k:02}-hot.txt": hot(k, 4 if k % 5 else 60) for k in range(60)}
    present |= {f"code-{k}.py": code(k) for k in range(6)}
    workspace = building.Workspace(tmp_path / "workspace", building.folder(source, present))
    workspace.configure("[pair]\nfloor = 0.8\n[decide]\nnear_duplicates = 0.85\n")
    workspace.build("pair")
    capped = []
    for more in (30, 0, -40, 0):
        present |= {f"{k}-more.txt": hot(k, 4) for k in range(100, 100 + more)}
        for name in sorted(present)[: max(-more, 0)]:
            del present[name]
        edit(dice, source, present)
        assert "known from the last run" in again(workspace)["note"]
        capped.append(workspace.facts("pairs")["capped_buckets"])
        assert outputs(workspace.root) == from_scratch(workspace)
    assert capped[1] > 0 == capped[3]


def test_what_a_hot_bucket_rejected_is_not_read_again(tmp_path):
    source = building.folder(tmp_path / "a", {f"{k:02}.txt": hot(k, 4 if k % 3 else 60) for k in range(90)})
    workspace = building.Workspace(tmp_path / "workspace", source)
    workspace.configure("[pair]\nfloor = 0.8\n[decide]\nnear_duplicates = 0.85\n")
    workspace.build("pair")
    assert workspace.facts("pairs")["capped_buckets"] > 0
    assert pq.read_metadata(workspace.root / "pairs" / "rejected.parquet").num_rows > 100
    building.put(source, {"unlike.py": code("unlike"), "00.txt": None})
    assert again(workspace)["bytes"] == 0
    assert outputs(workspace.root) == from_scratch(workspace)


def test_shards_and_workers_leave_no_trace(tmp_path, folder):
    """Repositories that came one by one, each a part of the cache, against all of them at once with two workers."""
    data = {f"{k:02}.txt": hot(k, 4 if k % 9 else 60) for k in range(80)} | {"a.py": code("a"), "n.py": near("a")}
    names = sorted(data)
    sources = [folder(f"s{k}", {name: data[name] for name in names[k::3]}) for k in range(3)]
    workspace = building.Workspace(tmp_path / "one-by-one", sources[0]).build("pair")
    for source in sources[1:]:
        workspace.add(source)
        workspace.build("pair")
    assert len(tables.contents(workspace.root)) == 3
    together = building.Workspace(tmp_path / "together", *sources, extra="\n[engine]\nworkers = 2\n").build("pair")
    one, two = outputs(workspace.root), outputs(together.root)
    for name in FILES[1:]:
        assert one[name] == two[name], name
    assert one["manifest.json"] == outputs(workspace.root)["manifest.json"]
    assert workspace.facts("pairs") == together.facts("pairs")
    assert workspace.facts("pairs")["capped_buckets"] > 0


def texts_of(workspace):
    found = {}
    for path in tables.contents(workspace.root):
        rows = pq.read_table(path, columns=["content_id", "content"]).to_pydict()
        found |= dict(zip(rows["content_id"], rows["content"], strict=True))
    return found


def components(ids, pairs):
    """The least member of the component of each, by plain joining of sets."""
    of = {one: {one} for one in ids}
    for left, right in pairs:
        if of[left] is not of[right]:
            of[left] |= of[right]
            for one in of[right]:
                of[one] = of[left]
    return {one: min(of[one]) for one in ids}


def test_pairs_that_nobody_verifies(tmp_path, folder):
    files = {f"{k:02}.txt": hot(k, 4 if k % 9 else 60) for k in range(70)} | {"a.py": code("a"), "n.py": near("a")}
    files |= {"loud.py": near("a").upper(), "b.py": code("b"), "short.py": b"too few words\n"}
    workspace = building.Workspace(tmp_path / "workspace", folder("a", files))
    workspace.configure('[pair]\nverify = false\n[decide]\nclusters = "components"\n[minhash]\nbands = 25\nrows = 10\n')
    workspace.build("pair")
    assert workspace.runs()[-1]["bytes"] == 0  # no text was read
    pairs = workspace.pairs()
    assert set(pairs.values()) == {None}

    texts = texts_of(workspace)
    streams = {
        row["content_id"]: row["stream_id"] for row in pq.read_table(tables.streams(workspace.root)[0]).to_pylist()
    }
    ids = sorted(one for one in texts if streams.get(one, one) == one and len(texts[one].split()) > 4)
    data = [texts[one].encode() for one in ids]
    offsets = np.cumsum([0, *map(len, data)])
    bands = measure(offsets, np.frombuffer(b"".join(data), np.uint8), MinHashSettings(bands=25, rows=10)).bands
    linked = {(ids[i], ids[j]) for i in range(len(ids)) for j in range(i + 1, len(ids)) if (bands[i] == bands[j]).any()}
    assert set(pairs) <= linked
    assert components(ids, pairs) == components(ids, linked)
    assert len(pairs) > 60

    building.put(tmp_path / "sources" / "a", {"more.py": near("b")})
    again(workspace)
    assert outputs(workspace.root) == from_scratch(workspace)
