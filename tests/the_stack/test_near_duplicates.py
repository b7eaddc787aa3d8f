"""Near-duplicates of the standard library against brute force: all files with all, and no kernel takes part."""

import itertools
import random
import re
import shutil
import sysconfig
from pathlib import Path

import numpy as np
import pytest

from starloom.the_stack import tables
from the_stack import building

pytestmark = pytest.mark.slow

FLOOR, THRESHOLD = 0.6, 0.7
SKIPPED = {"site-packages", "test", "tests", "__pycache__"}


@pytest.fixture(scope="module")
def library(tmp_path_factory):
    """The standard library without its tests (some 800 files), and a second folder of 500 copies that drifted."""
    base = tmp_path_factory.mktemp("library")
    source = Path(sysconfig.get_path("stdlib"))
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        if not SKIPPED & set(relative.parts):
            target = base / "stdlib" / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    building.folder(base / "drifted", drifted(base / "stdlib"))
    return building.Workspace(base / "workspace", base / "stdlib", base / "drifted").build()


def drifted(source):
    """500 files of which 0 to 15 % of the lines come from elsewhere."""
    dice = random.Random(20261124)
    originals = [path.read_bytes() for path in sorted(source.rglob("*.py")) if 1_000 < path.stat().st_size < 20_000]
    foreign = [line for data in originals for line in data.splitlines(keepends=True) if len(line) > 30]
    found = {}
    for number, data in enumerate(dice.sample(originals, min(500, len(originals)))):
        share = dice.uniform(0, 0.15)
        lines = [dice.choice(foreign) if dice.random() < share else line for line in data.splitlines(keepends=True)]
        found[f"{number}.py"] = b"".join(lines)
    return found


@pytest.fixture(scope="module")
def texts(library):
    """content_id → text, of everything that was read."""
    import pyarrow.parquet as pq

    found = {}
    for path in tables.contents(library.root):
        rows = pq.read_table(path, columns=["content_id", "content"])
        found |= dict(zip(rows.column(0).to_pylist(), rows.column(1).to_pylist()))
    return found


@pytest.fixture(scope="module")
def grams(texts):
    """content_id → its 5-grams of words."""
    found = {}
    for content_id, text in texts.items():
        words = re.findall(r"\w+", text.lower())
        found[content_id] = frozenset(zip(*(itertools.islice(words, k, None) for k in range(5))))
    return found


@pytest.fixture(scope="module")
def streams(texts):
    """content_id → the least content_id with the same words in the same order."""
    least = {}
    words = {one: tuple(re.findall(r"\w+", text.lower())) for one, text in texts.items()}
    for one in sorted(words):
        least.setdefault(words[one], one)
    return {one: least[words[one]] for one in words}


@pytest.fixture(scope="module")
def exact(grams, streams):
    """(left, right) of streams → Jaccard, of every pair at the floor and above."""
    ids = sorted({streams[one] for one in grams if grams[one]})
    numbers = {}
    sets = [np.array([numbers.setdefault(gram, len(numbers)) for gram in grams[one]], dtype=np.int64) for one in ids]
    sizes = np.array([len(one) for one in sets])
    owners = np.repeat(np.arange(len(sets)), sizes)
    members = np.concatenate(sets)
    order = np.argsort(members, kind="stable")
    owners = owners[order]
    starts = np.searchsorted(members[order], np.arange(len(numbers) + 1))
    found = {}
    for i, one in enumerate(sets):
        holders = [owners[starts[member] : starts[member + 1]] for member in one.tolist()]
        common = np.bincount(np.concatenate(holders), minlength=len(sets))
        similarity = common / (sizes + sizes[i] - common)
        for j in (np.flatnonzero(similarity[i + 1 :] >= FLOOR) + i + 1).tolist():
            found[ids[i], ids[j]] = float(similarity[j])
    return found


def test_the_corpus_is_worth_asking(exact, texts):
    assert len(texts) > 800
    assert sum(jaccard >= THRESHOLD for jaccard in exact.values()) > 200
    assert sum(jaccard < THRESHOLD for jaccard in exact.values()) > 100


def test_no_false_pair_and_every_value_exact(library, exact):
    found = library.pairs()
    assert set(found) <= set(exact)
    assert all(found[pair] == pytest.approx(exact[pair], abs=1e-12) for pair in found)


@pytest.mark.parametrize(("least", "recall"), [(0.6, 0.98), (THRESHOLD, 0.999), (0.8, 1.0)])
def test_recall(library, exact, least, recall):
    wanted = {pair for pair, jaccard in exact.items() if jaccard >= least}
    found = wanted & set(library.pairs())
    print(f"Jaccard >= {least}: {len(found)} of {len(wanted)} pairs")
    assert len(found) >= recall * len(wanted)


def test_contents_of_one_token_stream_are_named(library, streams, grams):
    import pyarrow.parquet as pq

    rows = pq.read_table(tables.streams(library.root)[0]).to_pylist()
    found = {row["content_id"]: row["stream_id"] for row in rows}
    shared = {one: streams[one] for one in streams if grams[one] and list(streams.values()).count(streams[one]) > 1}
    assert found == shared


def test_every_near_duplicate_has_a_kept_twin_and_no_kept_file_has_one(library, grams, exact, streams):
    rows = library.ledger()
    kept = {row["content_id"] for row in rows.values() if row["verdict"] in ("kept", "changed")}
    dropped = [row for row in rows.values() if row["rule"] == "near-duplicate"]
    assert dropped
    for row in dropped:
        one, two = grams[row["content_id"]], grams[row["twin_content_id"]]
        jaccard = len(one & two) / len(one | two)
        assert jaccard >= THRESHOLD
        assert row["jaccard"] == pytest.approx(jaccard, abs=1e-12)
        assert row["value"] == f"{jaccard:.4f}"
        assert row["twin_content_id"] in kept
        assert rows[row["twin_repo_name"], row["twin_path"]]["content_id"] == row["twin_content_id"]
    alive = {streams[one] for one in kept}
    assert not [pair for pair, jaccard in exact.items() if jaccard >= THRESHOLD and set(pair) <= alive]
