"""The stage that makes the index: what it publishes, how it goes on from the index before, how it is stopped."""

import os
import random
import resource
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from types import SimpleNamespace

import pytest

from search.conftest import index, paths, row, write_dataset
from starloom.engine.verbs import EngineSettings
from starloom.errors import UserError
from starloom.languages.syntax import definitions
from starloom.search import build, layout, shards
from starloom.search.index import SearchIndex
from starloom.search.settings import SearchSettings
from starloom.search.work import work_folder
from starloom.workspace import operations
from starloom.workspace.manifest import read_manifest, verify
from starloom.workspace.run import build as run
from starloom.workspace.stage import Job

ROWS = [row(f"{number}.py", f"def f{number}():\n    return needle\n") for number in range(30)]
QUERIES = ["needle", "word3", '"ord1"', "/wo+rd[12]/", "readJson", "json", "repo:two", "lang:c", "-needle", "path:4"]


@pytest.fixture
def root(tmp_path):
    """A workspace with an index of 30 files."""
    write_dataset(tmp_path / "w", ROWS)
    index(tmp_path / "w")
    return tmp_path / "w"


def published(root):
    return {one.name: one for one in read_manifest(root / layout.FOLDER).files}


def inodes(root):
    return {name: (root / layout.FOLDER / name).stat().st_ino for name in published(root)}


def answers(opened):
    """What an index answers: all that a user sees of it, but for the time."""
    found = {query: opened.search(query, 100, count_seconds=10.0, facets=True) for query in QUERIES}
    return {query: replace(answer, seconds=0.0) for query, answer in found.items()}


def fresh(tmp_path, train, held_out=(), **options):
    """An index of these rows made in a workspace of its own."""
    place = tmp_path / f"fresh-{random.random()}"
    write_dataset(place, train, held_out)
    return index(place, **options)


def test_what_is_published(root):
    manifest = read_manifest(root / layout.FOLDER)
    assert verify(root / layout.FOLDER) == []
    there = {str(path.relative_to(root / layout.FOLDER)) for path in (root / layout.FOLDER).rglob("*.*")}
    assert there == {"manifest.json", *published(root)}
    kinds = Counter(name.rsplit(".")[-1] for name in published(root))
    assert kinds["lz4"] == kinds["arrow"] == kinds["json"] == 1
    assert not any("lock" in name or "/." in name for name in published(root))
    text = sum(len(one["content"]) for one in ROWS)
    assert manifest.facts == {"files": 30, "shards": 1, "symbols": False, "text_bytes": text}
    assert manifest.rows == 30
    modes = {oct((root / layout.FOLDER / name).stat().st_mode) for name in published(root)}
    assert len(modes) == 1  # tantivy makes some private
    assert not work_folder(root).exists()


def test_it_is_made_once(root):
    before = inodes(root)
    index(root)
    assert inodes(root) == before


def test_a_missing_dataset(tmp_path):
    (tmp_path / "w").mkdir()
    with pytest.raises(UserError, match="dataset is missing"):
        index(tmp_path / "w")


def test_an_empty_dataset(tmp_path):
    write_dataset(tmp_path / "w", [])
    opened = index(tmp_path / "w", shards=3)
    assert opened.files == opened.search("needle").total == 0
    write_dataset(tmp_path / "w", ROWS)
    assert index(tmp_path / "w", shards=3).search("needle").total == 30


def test_shards_and_workers_change_no_answer(tmp_path):
    rows = [*ROWS, *some_rows(random.Random(0), 60)]
    write_dataset(tmp_path / "w", rows)
    many = index(tmp_path / "w", shards=3, workers=2)
    assert {name.partition("/")[0] for name in published(tmp_path / "w")} == {f"{one:02d}" for one in range(3)}
    assert answers(many) == answers(fresh(tmp_path, rows))


# Going on from the index before


def some_rows(chance, number):
    """Rows of a small language, some of them copies of one content."""
    found = []
    for at in range(number):
        words = chance.choices(["needle", "word1", "Word2", "word3", "readJson", "json", "é", "wooord1", "İ"], k=5)
        found.append(
            row(
                f"{chance.choice('abc')}/{at}x{chance.randrange(1000)}.py",
                " ".join(words) + chance.choice(["\n", "", "\r\n"]),
                f"{chance.choice(['here', 'there'])}/{chance.choice(['one', 'two'])}",
                chance.choice(["Python", "C", None]),
                *chance.choice([("permissive", ("MIT",)), ("no_license", ())]),
            )
        )
    return found


@pytest.mark.parametrize("shards", [1, 2])
def test_what_grew_answers_as_what_is_fresh(tmp_path, shards):
    """Adding, removing, changing, moving between splits; over and over."""
    chance = random.Random(shards)
    rows = some_rows(chance, 40)
    for _ in range(5):
        held_out = [one for one in rows if one["repo_name"] == "there/two" and chance.random() < 0.5]
        train = [one for one in rows if one not in held_out]
        write_dataset(tmp_path / "w", train, held_out)
        grown = index(tmp_path / "w", shards=shards)
        assert verify(tmp_path / "w" / layout.FOLDER) == []
        assert answers(grown) == answers(fresh(tmp_path, train, held_out, shards=shards))
        rows = [one for one in rows if chance.random() < 0.8] + some_rows(chance, chance.randrange(12))
        for one in chance.sample(rows, 3):
            one["license_type"], one["detected_licenses"] = "non_permissive", ["GPL-3.0-only"]


def test_what_stays_is_linked_and_what_is_open_stays(root):
    old, before = SearchIndex.open(root), inodes(root)
    write_dataset(root, [*ROWS[1:], row("new.py", "new needle\n")])
    new = index(root)
    after = inodes(root)
    kept = {name for name in before if name.endswith((".idx", ".term", ".fast"))}
    assert kept
    assert {name: after.get(name) for name in kept} == {name: before[name] for name in kept}
    assert "00/texts-01.lz4" in after
    assert old.search("needle", 50).total == new.search("needle", 50).total == 30
    assert "0.py" in paths(old.search("needle", 50))
    assert {"0.py", "new.py"} & set(paths(new.search("needle", 50))) == {"new.py"}


def test_what_stays_as_it_was_costs_nothing(tmp_path):
    write_dataset(tmp_path / "w", ROWS)
    index(tmp_path / "w", shards=5)
    before = inodes(tmp_path / "w")
    added = row("new.py", "new needle\n")
    write_dataset(tmp_path / "w", [*ROWS, added])
    index(tmp_path / "w", shards=5)
    changed = {name.partition("/")[0] for name, inode in inodes(tmp_path / "w").items() if before.get(name) != inode}
    assert changed == {layout.shard_name(layout.shard_of(added["content_id"], 5))}


def everything(root):
    """All that stands in the published files of rows and texts."""
    data = b""
    for name in published(root):
        path = root / layout.FOLDER / name
        if name.endswith(layout.ROWS):
            data += path.read_bytes()
            for one in layout.read_rows(path).filter(layout.read_rows(path).column("live")).to_pylist():
                frame = path.with_name(layout.text_name(one["text_file"])).read_bytes()[one["text_start"] :]
                data += frame[: one["text_size"]]
    return data


def test_removed_texts_and_names_leave_the_disk(root):
    def texts():
        return sum(one.bytes for name, one in published(root).items() if "texts-" in name)

    held = texts()
    gone = row("forgotten.py", "forgotten = 'who knows'\n", "gone/person")
    write_dataset(root, [*ROWS, gone])
    index(root)
    assert b"forgotten" in everything(root)
    assert texts() > held
    write_dataset(root, [*ROWS[1:], row("new.py", "new needle\n")])
    opened = index(root)
    table = layout.read_rows(root / layout.FOLDER / "00" / layout.ROWS)
    assert len(table) == 32
    assert sum(table.column("text_size").to_pylist()) == texts()  # nothing else is in them
    for word in (b"forgotten", b"person", gone["content_id"].encode(), b"/one\x000.py"):
        assert word not in everything(root)
    assert opened.search("needle").total == 30
    assert opened.search('"return needle" count:all').total == 29


def test_where_more_has_gone_than_is_left_it_is_made_anew(root):
    before = inodes(root)
    write_dataset(root, ROWS[:16])
    index(root)
    assert any(name.endswith(".del") for name in published(root))
    assert {name for name in before if name.endswith(".idx")} <= inodes(root).keys()
    write_dataset(root, ROWS[:10])
    opened = index(root)
    assert not {name for name in before if name.endswith(".idx")} & inodes(root).keys()
    assert not any(name.endswith(".del") for name in published(root))
    assert len(layout.read_rows(root / layout.FOLDER / "00" / layout.ROWS)) == 10
    assert sorted(paths(opened.search("needle", 50))) == sorted(f"{number}.py" for number in range(10))


def test_many_small_files_of_texts_become_one(root):
    most = 0
    for number in range(shards.MOST_SMALL + 3):
        write_dataset(root, [*ROWS, row("new.py", f"new needle {number}\n")])
        opened = index(root)
        most = max(most, sum("texts-" in name for name in published(root)))
        assert opened.search("needle").total == 31
        assert opened.search(f'"needle {number}"').total == 1
    assert 1 < most <= shards.MOST_SMALL


def test_other_settings_make_it_anew(root):
    assert index(root, shards=2).search("needle").total == 30
    assert read_manifest(root / layout.FOLDER).facts["shards"] == 2


def test_a_damaged_index_is_not_gone_on_from(root):
    name = next(name for name in published(root) if name.endswith(".term"))
    path = root / layout.FOLDER / name
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])
    write_dataset(root, [*ROWS, row("new.py", "new needle\n")])
    opened = index(root)
    assert opened.search("needle").total == 31
    assert verify(root / layout.FOLDER) == []


@pytest.mark.parametrize(
    ("gigabytes", "there", "number"),
    [(0, None, 1), (16, None, 1), (17, None, 2), (3_000, None, 188), (33, 2, 2), (70, 2, 5), (17, 5, 2), (40, 2, 2)],
)
def test_the_number_of_shards(gigabytes, there, number):
    before = SimpleNamespace(facts={"shards": there}) if there else None
    assert build._shards(SearchSettings(), gigabytes * 10**9, before) == number
    assert build._shards(SearchSettings(shards=9), gigabytes * 10**9, before) == 9


def test_more_shards_than_can_be(tmp_path):
    with pytest.raises(UserError, match="shards = 5000"):
        SearchSettings(shards=5000)


# Stopped, and going on


SCRIPT = """
import os, sys
from pathlib import Path
from search.conftest import index
from starloom.workspace import operations
root, stop, shards = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
done = 0
def hook(operation, path):
    global done
    done += 1
    if done == stop:
        os.kill(os.getpid(), 9)
operations.fault_hook = hook
index(root, shards=shards)
print(done)
"""


def in_a_process(root, stop, shards=2, **options):
    return subprocess.run(
        [sys.executable, "-c", SCRIPT, root, str(stop), str(shards)],
        capture_output=True, text=True, check=False,
        env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(sys.path)}, **options,
    )  # fmt: skip


def test_killed_anywhere_it_goes_on(tmp_path):
    """After each kill the old index is there whole; the next run uses what was finished, and answers as a fresh one."""
    new = [*ROWS[5:], *some_rows(random.Random(1), 20)]
    write_dataset(tmp_path / "count", ROWS)
    index(tmp_path / "count", shards=2)
    write_dataset(tmp_path / "count", new)
    steps = int(in_a_process(tmp_path / "count", 0).stdout)
    expected = answers(fresh(tmp_path, new, shards=2))
    went_on = 0
    for stop in range(3, steps, max(steps // 3, 1)):
        place = tmp_path / f"killed-{stop}"
        write_dataset(place, ROWS)
        index(place, shards=2)
        write_dataset(place, new)
        assert in_a_process(place, stop).returncode == -signal.SIGKILL
        assert verify(place / layout.FOLDER) == []
        assert SearchIndex.open(place).search("needle", 50).total in (30, expected["needle"].total)
        went_on += any(work_folder(place).glob("*/manifest.json"))
        assert answers(index(place, shards=2)) == expected
        assert not work_folder(place).exists()
        assert not list(place.rglob(".*.aside"))
    assert went_on


def test_what_was_finished_is_not_done_again(root, monkeypatch):
    write_dataset(root, [*ROWS, row("new.py", "new needle\n")])
    failing(monkeypatch, root, shards, "publish", full)
    assert len(list(work_folder(root).iterdir())) == 3  # gathered, indexed, settled
    with monkeypatch.context() as patch:
        patch.setattr("starloom.search.gathering._gather", full)
        patch.setattr("starloom.search.segments.make", full)
        patch.setattr("starloom.search.segments.settle", full)
        assert index(root).search("needle").total == 31


def test_what_a_run_left_that_was_killed_at_its_very_end_goes(root):
    (work_folder(root) / "index-00-000").mkdir(parents=True)
    index(root)
    assert not work_folder(root).exists()


def test_pieces_of_another_run_are_not_used(root, monkeypatch):
    write_dataset(root, [*ROWS, row("new.py", "new needle\n")])
    failing(monkeypatch, root, shards, "publish", full)
    (work_folder(root) / "stray").mkdir()
    write_dataset(root, [row("other.py", "other needle\n")])
    assert paths(index(root).search("needle")) == ["other.py"]


def failing(monkeypatch, root, *replaced):
    """A run that fails for want of space, something of the code being replaced."""
    with monkeypatch.context() as patch:
        patch.setattr(*replaced)
        with pytest.raises(UserError, match="No space left"):
            index(root)


def full(*_):
    raise OSError(28, os.strerror(28))


def test_a_run_that_fails_leaves_the_old_index(root, monkeypatch):
    write_dataset(root, [*ROWS[:20], row("new.py", "new needle\n")])
    for operation in ("mkdir", "open", "write", "fsync", "rename", "link"):
        done = Counter()

        def fail(name, path, operation=operation, done=done):
            if layout.FOLDER in str(path):
                done[name] += 1
                if name == operation and done[name] == 2:
                    raise OSError(28, os.strerror(28), str(path))

        failing(monkeypatch, root, operations, "fault_hook", fail)
        assert verify(root / layout.FOLDER) == []
        assert SearchIndex.open(root).search("needle").total == 30
    assert index(root).search("needle").total == 21


def test_a_full_disk_under_tantivy_is_explained(tmp_path):
    """tantivy writes past the publication module; what the system refuses it is told as for any other file."""
    write_dataset(
        tmp_path / "w",
        [
            row(f"{n}.py", " ".join(f"A{(m + 6_000 * n) * 7919 % 100_003}{'B' * 40}{m}" for m in range(6_000)))
            for n in range(7)
        ],
    )

    def small_files():
        resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))

    done = in_a_process(tmp_path / "w", 0, shards=1, preexec_fn=small_files)
    assert "UserError: cannot write" in done.stderr, done.stderr
    assert "File too large" in done.stderr
    assert "os error 27" in done.stderr  # it was tantivy that met it
    assert not (tmp_path / "w" / layout.FOLDER).exists()


# Symbols


@pytest.mark.skipif(not definitions.available(), reason="needs the extra `syntax`")
def test_what_files_define(tmp_path):
    rows = [
        row("a.py", "x = 1\n\ndef Tree(): pass\n"),
        row("b.py", "Tree = 1; tree()\n", language=None),
        row("c.py", "class tree: pass\n"),
    ]
    write_dataset(tmp_path / "w", rows)
    opened = index(tmp_path / "w", symbols=True)
    assert sorted(paths(opened.search("sym:tree"))) == ["a.py", "c.py"]
    assert paths(opened.search("sym:Tree")) == ["a.py"]
    assert paths(opened.search("Tree"))[0] == "a.py"
    table = layout.read_rows(tmp_path / "w" / layout.FOLDER / "00" / layout.ROWS).to_pylist()
    assert {one["path"]: (one["symbols"], one["symbol_lines"]) for one in table} == {
        "a.py": (["x", "Tree"], [1, 3]),
        "b.py": (None, None),
        "c.py": (["tree"], [1]),
    }


def test_the_extra_makes_it_stale(root, monkeypatch):
    monkeypatch.setattr(definitions, "available", lambda: True)
    monkeypatch.setattr(definitions, "mark", lambda: "grammars 1")
    settings = SimpleNamespace(search=SearchSettings(shards=1))
    assert Job(root, build.STAGE, settings, None).state() == "stale"
    monkeypatch.setattr(definitions, "available", lambda: False)
    assert Job(root, build.STAGE, settings, None).state() == "fresh"


def test_a_run_says_what_it_did(root, capsys):
    write_dataset(root, [*ROWS[2:], row("new.py", "new needle\n")])
    run(root, [build.STAGE], SimpleNamespace(search=SearchSettings(1, False)), EngineSettings(workers=1), "test")
    assert "29 files, 1 of them new, 2 gone" in capsys.readouterr().err
