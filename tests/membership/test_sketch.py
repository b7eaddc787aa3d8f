"""Sketches: no copy missed, chance told from matches, sizes and rates as stated; withdrawn and old ones refused."""

import datetime
import json
import random
import shutil
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.kernels.fold import fold
from starloom.kernels.windows import tile_hashes
from starloom.membership import sketching
from starloom.membership.sketch import FILTER, Sketch, chains, read
from starloom.membership.sketching import Contents, export, withdraw

DAY = datetime.date(2026, 11, 28)


def code(seed, lines=40):
    words = random.Random(seed)
    return "".join(
        f"{' ' * 4 * words.randrange(3)}{words.choice('xyz')}{words.randrange(10**9)} = f({words.randrange(10**9)}, "
        f"'{words.randrange(10**6)}')\n"
        for _ in range(lines)
    )


def contents(texts, width=50, split=None):
    data = "".join(texts).encode()
    offsets = np.cumsum([0, *(len(text.encode()) for text in texts)])
    bounds, folded = fold(offsets, np.frombuffer(data, dtype=np.uint8))
    hashes = tile_hashes(bounds, folded, width)[1]
    return Contents(width, len(hashes), len(texts), 3, len(data), split, np.array_split(hashes, 3))


TEXTS = [code(seed) for seed in range(60)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("sketches") / "one"
    export(made, contents(TEXTS), name="test", today=DAY)
    return made


@pytest.fixture(scope="module")
def sketch(folder):
    return Sketch.open(folder, today=DAY)


def test_what_it_says_of_itself(folder):
    manifest, about = read(folder)
    assert (about.number, about.made, about.until) == (1, "2026-11-28", "2027-05-27")
    assert (about.files, about.repositories, about.width) == (60, 3, 50)
    text_bytes = sum(map(len, TEXTS))
    assert 0.04 < about.share <= 0.05
    entry = next(one for one in manifest.files if one.name == FILTER)
    assert entry.bytes == pytest.approx(about.share * text_bytes, abs=64)
    assert 0 < about.rate < about.rate_at_most < 0.0005
    card = (folder / "README.md").read_text()
    assert "can test whether the file is in the data" in card
    assert "cannot forget" in card
    assert f"{about.rate:.2g}" in card


@pytest.mark.parametrize("characters", [99, 100, 150, 300, 900])
def test_a_copy_is_found_wherever_it_was_cut(sketch, characters):
    """99 normalised characters hold a whole tile, re-indented or not."""
    generator = random.Random(characters)
    for _ in range(40):
        text = generator.choice(TEXTS)
        start = generator.randrange(len(text) // 4)
        end = start + characters
        while len("\n".join(line.strip() for line in text[start:end].strip().splitlines())) < characters:
            end += 1
        piece = "\t" + text[start:end].strip().replace("\n", "\r\n\t\t")
        before = code("own", 3)
        found = sketch.check(before + piece + "\n" + code("other", 3))
        inside = [one for one in found.chains if one.start >= len(before) - 9]  # lines end alike
        assert inside
        assert max(one.tiles for one in inside) >= (characters - 49) // 50
        if characters >= 150:
            assert found.status == "match"
            assert 0 < found.coverage < 1


def test_lines_and_characters(sketch):
    text = "é = 1\n\n" + TEXTS[7].replace("\n", "\n\n") + "# é\n"
    found = sketch.check(text)
    assert found.status == "match"
    longest = found.chains[0]
    assert longest.first_line == text.count("\n", 0, longest.start) + 1 >= 3
    assert longest.last_line == text.count("\n", 0, longest.end - 1) + 1
    assert sketch.check(TEXTS[7]).coverage > 0.9
    told = json.loads(json.dumps(found.to_json()))
    assert told["chains"][0]["tiles"] == longest.tiles
    assert "very likely in the 3 repositories" in told["verdict"]


def test_what_is_not_there(sketch):
    assert sketch.check(code("never", 20)).status == "no_match"
    for short in ("", "x = 1", " \n" * 500):
        found = sketch.check(short)
        assert found.status == "not_covered"
        assert "shorter than 50" in found.verdict


def test_chance_is_called_chance(tmp_path):
    """A filter far too small for its data: hits everywhere, and said to be no more than chance."""
    export(tmp_path / "s", contents(TEXTS), name="x", today=DAY, share=0.01)
    about = read(tmp_path / "s")[1]
    assert about.rate > 0.05
    sketch = Sketch.open(tmp_path / "s", today=DAY)
    found = sketch.check(code("never", 100))
    assert found.chains
    assert found.status == "unsure"
    assert "no more than chance" in found.verdict
    assert found.coverage == 0
    assert found.by_chance > len(found.chains) / 3
    assert sketch.check(TEXTS[3]).status == "match"  # a chain of forty is none


@given(st.sets(st.integers(0, 400), max_size=60), st.integers(1, 60))
def test_chains(hits, width):
    ordered = np.array(sorted(hits), dtype=np.int64)
    starts, tiles = chains(ordered, width)
    every = []
    for hit in hits:
        if hit - width not in hits:
            number = 1
            while hit + number * width in hits:
                number += 1
            every.append((hit, number))
    found = list(zip(starts.tolist(), tiles.tolist()))
    assert set(found) <= set(every)
    for start, number in every:
        assert any(a <= start and start + number * width <= a + n * width for a, n in found)
    for one in found:
        others = [two for two in found if two != one]
        assert not any(a <= one[0] and one[0] + one[1] * width <= a + n * width for a, n in others)


def test_a_newer_one_withdraws_the_older(tmp_path, folder):
    place, kept = tmp_path / "published", tmp_path / "kept"
    export(place, contents(TEXTS), name="x", today=DAY)
    kept.mkdir()
    for path in place.iterdir():
        (kept / path.name).write_bytes(path.read_bytes())
    later = export(place, contents(TEXTS[1:]), name="x", today=DAY + datetime.timedelta(9), reason="an opt-out")
    assert later.number == 2
    assert [(one.number, one.date, one.reason) for one in later.withdraws] == [(1, "2026-12-07", "an opt-out")]
    assert Sketch.open(place, today=DAY).check(TEXTS[0]).status != "match"  # forgotten
    assert Sketch.open(kept, today=DAY).check(TEXTS[0]).status == "match"  # a filter cannot
    for newer in (place, place / "manifest.json"):
        with pytest.raises(UserError, match=r"number 1\) was withdrawn on 2026-12-07: an opt-out") as told:
            Sketch.open(kept, today=DAY, newer=newer)
        assert "ask whoever published it" in told.value.hint
        assert Sketch.open(place, today=DAY, newer=newer)
    with pytest.raises(UserError, match="not of the series"):
        Sketch.open(kept, today=DAY, newer=folder)
    third = export(place, contents(TEXTS), name="x", today=DAY)
    assert [one.number for one in third.withdraws] == [1, 2]


def test_withdrawn(tmp_path):
    place = tmp_path / "s"
    export(place, contents(TEXTS), name="x", today=DAY)
    sha256 = next(one.sha256 for one in read(place)[0].files if one.name == FILTER)
    with pytest.raises(UserError, match="why"):
        withdraw(place, reason=" ", today=DAY)
    withdraw(place, reason="a key was in it", today=DAY)
    assert not (place / FILTER).exists()
    assert "Withdrawn on 2026-11-28: a key was in it" in (place / "README.md").read_text()
    with pytest.raises(UserError, match="was withdrawn on 2026-11-28: a key was in it"):
        Sketch.open(place, today=DAY)
    with pytest.raises(UserError, match="withdrawn already"):
        withdraw(place, reason="again", today=DAY)
    again = export(place, contents(TEXTS), name="x", today=DAY)
    assert (again.number, again.withdrawn) == (2, None)
    assert [(one.number, one.sha256, one.reason) for one in again.withdraws] == [(1, sha256, "a key was in it")]


def test_too_old(folder):
    assert Sketch.open(folder, today=datetime.date(2027, 5, 27))
    with pytest.raises(UserError, match="was good until 2027-05-27"):
        Sketch.open(folder, today=datetime.date(2027, 5, 28))


def test_damage(tmp_path):
    place = tmp_path / "s"
    export(place, contents(TEXTS), name="x", today=DAY)
    whole = (place / FILTER).read_bytes()
    for data in (whole[:-1], whole[:-64], bytes([whole[0] ^ 1]) + whole[1:], b""):
        (place / FILTER).write_bytes(data)
        with pytest.raises(UserError) as told:
            Sketch.open(place, today=DAY)
        assert FILTER in told.value.problem
    (place / FILTER).unlink()
    with pytest.raises(UserError, match=FILTER):
        Sketch.open(place, today=DAY)


def test_what_is_no_sketch(tmp_path):
    (tmp_path / "x").write_text("hello")
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "x", tmp_path / "empty", tmp_path / "none"):
        with pytest.raises(UserError) as told:
            Sketch.open(place, today=DAY)
        assert str(place) in told.value.problem
        assert told.value.hint
    with pytest.raises(UserError, match="in the way"):
        export(tmp_path / "x", contents(TEXTS), name="x", today=DAY)


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"share": 0.0}, "no size"), ({"share": 2.0}, "no size"), ({"days": 0}, "0 days")],
    ids=["nothing", "all", "never"],
)
def test_refused(tmp_path, settings, words):
    with pytest.raises(UserError, match=words):
        export(tmp_path / "s", contents(TEXTS), name="x", today=DAY, **settings)
    assert not (tmp_path / "s").exists()


def test_an_empty_dataset(tmp_path):
    with pytest.raises(UserError, match="no tile"):
        export(tmp_path / "s", contents(["x"]), name="x", today=DAY)


def test_texts_that_are_none(sketch, monkeypatch):
    with pytest.raises(UserError, match="lone surrogates"):
        sketch.check("\ud800" * 90)
    with pytest.raises(UserError, match="more than 8,388,608"):
        sketch.check("x" * (8 << 20) + "y")
    assert sketch.check("ab" * 200_000).status == "no_match"


def test_another_width(tmp_path):
    export(tmp_path / "s", contents(TEXTS, 32), name="x", today=DAY)
    about = read(tmp_path / "s")[1]
    assert about.rate < 0.01
    sketch = Sketch.open(tmp_path / "s", today=DAY)
    assert sketch.check(TEXTS[0][:80]).chains
    assert about.share <= sketching.SHARE


FULL = """
import datetime, sys
from pathlib import Path
import numpy as np
from starloom.errors import UserError
from starloom.membership.sketching import Contents, export
hashes = np.random.default_rng(1).integers(0, 2**64, 100_000, dtype=np.uint64)
try:
    export(Path(sys.argv[1]) / "s", Contents(50, len(hashes), 9, 3, 5_000_000, None, [hashes]), name="x",
           today=datetime.date(2026, 11, 28))
except UserError as problem:
    print(problem, "/", problem.hint)
"""


def test_no_room_for_it(tmp_path):
    """The filter is a map of a file: where the disk had no page for it the process was ended by SIGBUS."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=100k", "none", str(tmp_path)]
    probe = ["unshare", "-Urm", *mount]
    if shutil.which("unshare") is None or subprocess.run(probe, capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here: `unshare -Urm mount -t tmpfs` is refused")
    script = f'{" ".join(mount)} && exec "$@"'
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", script, "sh", sys.executable, "-c", FULL, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "No space left on device" in done.stdout
    assert "free some space" in done.stdout
