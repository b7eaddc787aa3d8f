"""Many shards answer as one index does; some of them answer for what they are; splits are told apart."""

import dataclasses
import random
import shutil

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from membership.conftest import write_index
from starloom.errors import UserError
from starloom.identity import content_id
from starloom.membership import layout
from starloom.membership.check import Index
from starloom.membership.shard import Shards, shard_of
from starloom.membership.store import open_shards
from the_stack.building import code

BANNER = "".join(
    f"# This file belongs to the great tool of ours, chapter {k}, and has a long banner.\n" for k in range(6)
)


def told(found):
    """All that an answer says but for the time it took."""
    return dataclasses.replace(found, seconds=0.0)


def mixed(seed):
    """Files that share banners, bodies and endless rows, in another way for every seed."""
    dice = random.Random(f"mixed {seed}")
    shared = [code(f"{seed} {k}", 8).decode() for k in range(6)]
    texts = set()
    for _ in range(90):
        pieces = [BANNER] if dice.random() < 0.7 else []
        pieces += dice.choices(shared, k=dice.randint(0, 3))
        pieces += [code(dice.random(), 3).decode()] if dice.random() < 0.7 else []
        pieces += ["0, 0, 0,\n" * dice.randint(10, 400)] if dice.random() < 0.5 else []
        dice.shuffle(pieces)
        texts.add("\n".join(pieces))
    return sorted(texts)


@pytest.fixture(scope="module")
def cut(memory):
    """{number of shards: index} of the same 90 files."""
    texts = mixed("cut")
    found = {}
    for shards in (1, 2, 5):
        root = write_index(
            memory / f"cut {shards}", texts[:30], texts[30:], splits=("train", "held_out"), shards=shards
        )
        found[shards] = Index.open(root)
    return texts, found


@pytest.mark.parametrize("shards", [2, 5])
@pytest.mark.parametrize("split", [None, "train", "held_out"])
@pytest.mark.parametrize("files", [3, None])
@pytest.mark.parametrize("renamed", [False, True])
def test_merged_answers_are_those_of_one_index(cut, shards, split, files, renamed):
    texts, indexes = cut
    dice = random.Random(f"asked {split}")
    asked = [dice.choice(texts) for _ in range(6)]
    asked += ["\n".join([*dice.sample(texts, 2), code(k, 5).decode()]) for k in range(4)]
    asked += [BANNER, BANNER * 3, "0, 0, 0,\n" * 1000, "0, 0,\n" * 50 + BANNER[:300], ""]
    for text in asked:
        one, many = (indexes[number].check(text, files, split=split, renamed=renamed) for number in (1, shards))
        assert told(one) == told(many)


def test_shards_one_by_one_are_the_index_too(cut, memory):
    texts, indexes = cut
    root = memory / "cut 5"
    parts = [open_shards(root, [number]) for number in range(5)]
    nested = Index(Shards([Shards(parts[:2]), parts[4], Shards(parts[2:4])]))
    for text in texts[::9]:
        assert told(nested.check(text)) == told(indexes[1].check(text))


def test_what_does_not_belong_together(cut, memory):
    parts = [open_shards(memory / "cut 5", [number]) for number in (0, 1)]
    other = open_shards(memory / "cut 2", [0])
    with pytest.raises(ValueError, match="twice"):
        Shards([parts[0], parts[0]])
    with pytest.raises(ValueError, match="different indexes"):
        Shards([parts[0], other])
    with pytest.raises(ValueError, match="no shard"):
        Shards([])


@settings(deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6), shards=st.integers(2, 7), profile=st.sampled_from([50, 32]))
def test_any_cut(index_of, seed, shards, profile):
    texts = mixed(seed)[::2]
    one, many = index_of(texts, profile=profile), index_of(texts, profile=profile, shards=shards)
    dice = random.Random(seed)
    for _ in range(3):
        text = "".join(one[dice.randrange(len(one) + 1) :] for one in dice.sample(texts, 3))
        for files in (2, None):
            assert told(one.check(text, files)) == told(many.check(text, files))


# --- parts that are missing -----------------------------------------------------------------------------------------


def test_a_part_of_the_index_never_says_no(memory):
    texts = [code(k, 20).decode() for k in range(30)]
    root = write_index(memory / "partial", texts, shards=3)
    folder = root / layout.FOLDER / "01"
    (folder / "0-tags.bin").write_bytes(b"x")
    index = Index.open(root)
    assert index.shard.covered.numbers == {0, 2}
    for text in texts:
        found = index.check(text)
        here = shard_of(content_id(text.encode()), 3) != 1
        assert found.status == ("match" if here else "partial")
        assert found.problems
        assert "0-tags.bin" in found.problems[0]
        if not here:
            assert found.verdict == (
                "partial: no match in 2 of 3 parts of the 1 repository indexed; "
                "the other parts are not here, and may have one"
            )
    assert index.check("short").status == "not_covered"
    shutil.rmtree(root / layout.FOLDER / "00")
    shutil.rmtree(root / layout.FOLDER / "02")
    with pytest.raises(UserError, match="is missing"):
        Index.open(root)


def test_some_of_the_shards(memory):
    texts = [code(k, 20).decode() for k in range(30)]
    root = write_index(memory / "some", texts, shards=3)
    index = Index.open(root, [1])
    assert not index.shard.covered.whole
    for text in texts:
        here = shard_of(content_id(text.encode()), 3) == 1
        assert index.check(text).status == ("match" if here else "partial")


# --- splits ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shards", [1, 4])
def test_what_a_model_saw_is_told_apart(index_of, shards):
    trained, held_out = ([code(f"{split} {k}", 20).decode() for k in range(8)] for split in ("train", "held_out"))
    both = code("in both", 20).decode()
    index = index_of([*trained, both], [*held_out, both], splits=("train", "held_out"), shards=shards)
    for split, texts in (("train", [*trained, both]), ("held_out", held_out)):
        for text in [*trained, *held_out, both]:
            found = index.check(text, split=split)
            assert found.status == ("match" if text in texts else "no_match")
            assert f"the split {split} of the 1 repository indexed" in found.verdict
            told_of = {file.split for match in found.matches for file in match.files}
            assert text == both or told_of <= {split}  # places here are as they were given
            assert index.check(text).status == "match"


def test_what_many_held_out_files_share(index_of):
    """A common tile whose first thousands of places are of the other split."""
    held_out = [BANNER + code(f"held {k}", 3).decode() for k in range(120)]
    trained = [BANNER + code(f"trained {k}", 3).decode() for k in range(3)]
    index = index_of(trained, held_out, splits=("train", "held_out"))
    (match,) = index.check(BANNER, split="train").matches
    assert (match.total, match.common) == (3, False)
    (match,) = index.check(BANNER, split="held_out").matches
    assert (match.total, match.common) == (120, True)
    assert match.reason == "120 different files have it"
    (match,) = index.check(BANNER).matches
    assert match.total == 123
