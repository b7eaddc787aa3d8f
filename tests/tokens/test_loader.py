"""The same stream of samples whatever the number of processes and threads, and wherever it was interrupted."""

import itertools
import threading

import numpy as np
import pytest

from starloom.errors import UserError
from starloom.tokens.loader import Loader
from starloom.tokens.packed import Packed
from starloom.tokens.samples import Recipe, Samples, Source, Stretches
from tokens import mixed
from tokens.packing import packed

BATCH = 24
STEPS = 30


def made(sources, **changes):
    weights = (("python", 0.5), ("go", 0.3), ("old", 0.2))
    return Samples(sources, Recipe(**{"sequence": 9, "seed": 3, "weights": weights} | changes), 7)


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return mixed.sources(tmp_path_factory.mktemp("mixed"))


@pytest.fixture(scope="module")
def samples(sources):
    return made(sources)


@pytest.fixture(scope="module")
def whole(samples):
    """The samples one after the other: position, ids, targets, documents."""
    return rows(samples.batch(np.arange(BATCH * STEPS)))


def rows(batch):
    parts = (batch.positions, batch.ids, batch.targets, batch.documents)
    return list(zip(*(one.tolist() for one in parts), strict=True))


def taken(loader, steps):
    with loader:
        return [rows(batch) for batch in itertools.islice(loader, steps)]


@pytest.mark.parametrize("threads", [0, 1, 3])
@pytest.mark.parametrize("world", [1, 2, 3, 8])
def test_any_number_of_processes_gives_one_stream(samples, whole, world, threads):
    ranks = [taken(Loader(samples, BATCH, rank=rank, world=world, threads=threads), STEPS) for rank in range(world)]
    assert all(len(batch) == BATCH // world for rank in ranks for batch in rank)
    found = [ranks[row % world][step][row // world] for step in range(STEPS) for row in range(BATCH)]
    assert found == whole


@pytest.mark.parametrize(("world", "threads"), [(1, 0), (1, 2), (3, 1)])
def test_resumed_at_any_step(samples, whole, world, threads):
    rank = world - 1
    with Loader(samples, BATCH, rank=rank, world=world, threads=threads) as before:
        for step in range(STEPS):
            state = before.state()
            assert state.consumed == step * BATCH
            with Loader.resume(samples, BATCH, state, rank=rank, world=world, threads=threads) as after:
                expected = whole[step * BATCH : (step + 1) * BATCH][rank::world]
                assert rows(next(after)) == rows(next(before)) == expected
                assert after.state() == before.state()


def test_resumed_with_other_processes_and_another_batch(samples, whole):
    before = Loader(samples, BATCH, rank=1, world=3)
    taken(before, 4)
    after = [taken(Loader.resume(samples, 2 * BATCH, before.state(), rank=rank, world=2), 3) for rank in (0, 1)]
    found = [after[row % 2][step][row // 2] for step in range(3) for row in range(2 * BATCH)]
    assert found == whole[4 * BATCH : 10 * BATCH]


@pytest.mark.parametrize(
    ("change", "what"),
    [({"seed": 4}, "seed 3, and these are seed 4"), ({"sequence": 8}, "recipe"), ({"block": 2}, "recipe")],
)
def test_a_state_of_another_order(sources, samples, change, what):
    state = Loader(samples, BATCH, threads=0).state()
    with pytest.raises(UserError, match=f"begun with {what}") as caught:
        Loader.resume(made(sources, **change), BATCH, state)
    assert caught.value.hint


def test_a_state_of_the_same_sources_in_another_order(sources):
    """Without weights too: the recipe is the same, the tokens are, and the samples are not."""
    python, go, _ = sources
    one, two = (Samples(some, Recipe(9, 3), 7) for some in ([python, go], [go, python]))
    assert not np.array_equal(one.batch(np.arange(20)).ids, two.batch(np.arange(20)).ids)
    with pytest.raises(UserError, match="begun with") as caught:
        Loader.resume(two, BATCH, Loader(one, BATCH, threads=0).state())
    assert caught.value.hint


def test_a_state_of_other_tokens(sources, samples):
    state = Loader(samples, BATCH, threads=0).state()
    other = Samples(sources[:1], Recipe(9, 3), 7)
    with pytest.raises(
        UserError, match=f"tokens {state.fingerprint[:12]}, and these are tokens {other.fingerprint[:12]}"
    ):
        Loader.resume(other, BATCH, state)


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"world": 5}, "24 samples cannot be shared by 5 processes"),
        ({"world": 0}, "cannot be shared by 0"),
        ({"batch": 0}, "batch of 0 samples"),
        ({"start": 25}, "25 samples consumed are not whole batches of 24"),
        ({"start": -24}, "not whole batches"),
    ],
    ids=lambda one: "-".join(map(str, one)) if isinstance(one, dict) else "",
)
def test_refused(samples, given, problem):
    with pytest.raises(UserError, match=problem):
        Loader(samples, **{"batch": BATCH} | given)


@pytest.mark.parametrize("rank", [-1, 2])
def test_no_such_process(samples, rank):
    with pytest.raises(ValueError, match=f"process {rank} of 2"):
        Loader(samples, BATCH, rank=rank, world=2)


@pytest.mark.parametrize("threads", [0, 2])
def test_damage_is_told_where_it_is_met(tmp_path, threads):
    folder = packed(tmp_path / "tokens", [[1, 2, 3, 4], [5, 6]])
    path = folder / "code-0" / "tokens-00000.bin"
    path.write_bytes(path.read_bytes()[:-1] + b"\x01")
    samples = Samples([Source("code", Packed.open(folder), "code")], Recipe(2, 0), 7)
    with Loader(samples, 1, threads=threads) as loader, pytest.raises(UserError, match="damaged between bytes"):
        next(loader)


@pytest.mark.parametrize("threads", [0, 1, 3])
def test_who_asks_again_gets_the_same_batch(samples, whole, monkeypatch, threads):
    """A store that was not reached for a moment loses nothing."""
    read, asked = samples.read, set()

    def now_and_then(positions, stretches):
        first = int(positions[0])
        if first % (3 * BATCH) == 0 and first not in asked:
            asked.add(first)
            raise UserError("not reached", "again")
        return read(positions, stretches)

    monkeypatch.setattr(samples, "read", now_and_then)
    found, refused = [], 0
    with Loader(samples, BATCH, threads=threads) as loader:
        while len(found) < len(whole):
            assert loader.state().consumed == len(found)
            try:
                found += rows(next(loader))
            except UserError:
                refused += 1
    assert found == whole
    assert 0 < refused <= STEPS // 3


@pytest.mark.parametrize("threads", [0, 1])
def test_what_is_far_away_is_announced(samples, whole, monkeypatch, threads):
    wanted, read, want = [], samples.read, Stretches.want

    def wanting(stretches):
        wanted.append((stretches.segments.starts.tolist(), stretches.payloads))
        want(stretches)

    def reading(positions, stretches):
        assert (stretches.segments.starts.tolist(), stretches.payloads) in wanted
        assert len(wanted) > positions[0] // BATCH + 2
        return read(positions, stretches)

    monkeypatch.setattr(samples, "far", True)
    monkeypatch.setattr(Stretches, "want", wanting)
    monkeypatch.setattr(samples, "read", reading)
    steps = taken(Loader(samples, BATCH, threads=threads), STEPS)
    assert list(itertools.chain(*steps)) == whole


def test_no_thread_is_left(samples):
    before = threading.active_count()
    taken(Loader(samples, BATCH, threads=3), 2)
    assert threading.active_count() == before
