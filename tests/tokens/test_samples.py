"""Sample n is a function of the tokens, the recipe and n: every row once an epoch, and the way back is exact."""

import collections
import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.packed import Packed
from starloom.tokens.samples import Recipe, Samples, Source, open_sources
from tokens import mixed
from tokens.packing import packed, packed_streams

PADDING = 7
MANY = 250  # samples: some epochs of every source


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return mixed.sources(tmp_path_factory.mktemp("mixed"))


recipes = st.builds(
    Recipe,
    sequence=st.integers(2, 40),
    seed=st.integers(0, 2**31),
    packing=st.sampled_from(["best-fit", "concatenate"]),
    weights=st.sampled_from([(), (("python", 0.6), ("go", 0.3), ("old", 0.1)), (("old", 5), ("go", 1), ("python", 1))]),
    block=st.sampled_from([1, 1, 2, 5]),
)
unhurried = settings(deadline=None, max_examples=15)


def listed(samples, count=MANY):
    """(source, epoch, row) of the first samples."""
    where = samples.where(np.arange(count))
    return list(zip(where.source.tolist(), where.epoch.tolist(), where.row.tolist(), strict=True))


@unhurried
@given(recipes)
def test_every_row_once_an_epoch(sources, recipe):
    samples = Samples(sources, recipe, PADDING)
    epochs = collections.defaultdict(list)
    for source, epoch, row in listed(samples):
        assert (source, epoch + 1) not in epochs, "one epoch after the other"
        epochs[source, epoch].append(row)
    last = {source: max(epoch for one, epoch in epochs if one == source) for source, _ in epochs}
    for (source, epoch), rows in epochs.items():
        assert len(set(rows)) == len(rows)
        assert set(rows) <= set(range(samples.rows(source, epoch)))
        assert len(rows) == samples.rows(source, epoch) or epoch == last[source]


@unhurried
@given(recipes, st.integers(0, MANY))
def test_asked_backwards(sources, recipe, until):
    samples = Samples(sources, recipe, PADDING)
    read = collections.defaultdict(list)
    for position, (source, epoch, row) in enumerate(listed(samples)[:until]):
        read[source, samples.variant(source, epoch), row].append(position)
    for source, one in enumerate(sources):
        for variant in range(one.packed.variants):
            rows = range(samples.packing(source, variant).rows)
            for row in rows:
                found = samples.positions(source, variant, np.array([row]), until)
                assert found.tolist() == read[source, variant, row]
            some = np.array(rows[::2])
            expected = sorted(position for row in some.tolist() for position in read[source, variant, row])
            assert samples.positions(source, variant, some, until).tolist() == expected


@unhurried
@given(recipes, st.lists(st.integers(0, MANY), min_size=1, max_size=12))
def test_a_batch_is_its_rows(sources, recipe, positions):
    samples = Samples(sources, recipe, PADDING)
    where = samples.where(np.array(positions))
    batch = samples.batch(np.array(positions))
    assert batch.positions.tolist() == positions
    assert [one.shape for one in (batch.ids, batch.targets, batch.documents)] == [(len(positions), recipe.sequence)] * 3
    for place, (source, epoch, row) in enumerate(zip(where.source, where.epoch, where.row, strict=True)):
        variant = samples.variant(source, epoch)
        assert variant == epoch % mixed.VARIANTS[samples.names[source]]
        stretches = samples.packing(source, variant).segments(np.array([row]))
        begin = mixed.first_token(samples.names[source], variant)
        ids = [begin + at + k for at, n in zip(stretches.starts, stretches.lengths, strict=True) for k in range(n)]
        rest = recipe.sequence - len(ids)
        assert batch.ids[place].tolist() == ids + [PADDING] * rest
        assert (
            batch.documents[place].tolist() == np.repeat(stretches.documents, stretches.lengths).tolist() + [-1] * rest
        )
        learnt = batch.targets[place] >= 0
        assert (batch.targets[place][learnt] == batch.ids[place][learnt] + 1).all()
        if recipe.packing == "concatenate":
            assert learnt.all()


def test_shares(sources):
    weights = (("python", 3), ("go", 6), ("old", 1))
    source = Samples(sources, Recipe(8, 0, weights=weights), PADDING).where(np.arange(1000)).source
    assert np.bincount(source).tolist() == [300, 600, 100]


def test_a_source_that_is_next_to_nothing(sources):
    """It would be read far more often than its share."""
    weights = (("python", 1.0), ("go", 1.0), ("old", 1e-5))
    with pytest.raises(UserError, match="source old is 5e-06 of the mixture: less than one sample in 65,536") as caught:
        Samples(sources, Recipe(8, 0, weights=weights), PADDING).prepare()
    assert "weight" in caught.value.hint


def test_without_weights_all_sources_are_through_together(sources):
    samples = Samples(sources, Recipe(8, 0), PADDING)
    rows = [samples.rows(source, 0) for source in range(3)]
    where = samples.where(np.arange(sum(rows)))
    assert np.bincount(where.source).tolist() == rows
    assert not where.epoch.any()


def test_order_does_not_depend_on_what_is_asked(sources):
    samples = Samples(sources, Recipe(8, 5), PADDING)
    everything = listed(samples)
    assert listed(Samples(sources, Recipe(8, 5), PADDING)) == everything
    for positions in ([17], [3, 3, 249], list(range(249, 200, -7)), []):
        where = samples.where(np.array(positions, dtype=np.int64))
        found = list(zip(where.source.tolist(), where.epoch.tolist(), where.row.tolist(), strict=True))
        assert found == [everything[position] for position in positions]


def test_what_the_order_hangs_on(sources):
    recipe = Recipe(8, 5, weights=(("python", 1.0), ("go", 1.0), ("old", 1.0)))
    changes = [
        {"sequence": 9},
        {"seed": 6},
        {"packing": "concatenate"},
        {"weights": ()},
        {"weights": (("python", 2.0), ("go", 1.0), ("old", 1.0))},
        {"block": 2},
    ]
    others = [dataclasses.replace(recipe, **change) for change in changes]
    assert len({one.digest() for one in [recipe, *others]}) == 1 + len(changes)
    orders = [tuple(listed(Samples(sources, one, PADDING), 60)) for one in [recipe, *others]]
    assert len(set(orders)) == 1 + len(changes)
    assert Recipe(8, 5).digest() == Recipe(8, 5).digest()


def test_the_fingerprint_stands_for_all_tokens(sources):
    def of(*some):
        return Samples(some, Recipe(8, 0), PADDING).fingerprint

    python, go, old = sources
    assert of(python, go) == python.packed.fingerprint
    assert len({of(python, go), of(python, go, old), of(old), of(go, old), of(old, go)}) == 5


def test_what_is_no_sample(sources):
    samples = Samples(sources, Recipe(8, 0), PADDING)
    with pytest.raises(ValueError, match="sample -1"):
        samples.where(np.array([4, -1]))
    with pytest.raises(ValueError, match="no source"):
        Samples([], Recipe(8, 0), PADDING)
    with pytest.raises(UserError, match="weights are of python; the tokens of python, go, old"):
        Samples(sources, Recipe(8, 0, weights=(("python", 1.0),)), PADDING)
    with pytest.raises(UserError, match="too few for one sequence"):
        Samples(sources, Recipe(5000, 0, "concatenate"), PADDING).prepare()


class TestOpening:
    """open_sources."""

    @pytest.fixture(scope="class")
    @staticmethod
    def root(tmp_path_factory):
        root = tmp_path_factory.mktemp("workspace")
        inside = {("python", 0): [[1, 2, 3]], ("go", 0): [[4, 5]]}
        packed_streams(root / "tokens", inside)
        packed(root / "old", [[1, 2]])
        packed(root / "larger", [[1, 2]], 51)
        packed(root / "other", [[1, 2]], facts={"tokenizer": "1" * 64})
        packed_streams(root / "two", inside)
        return root

    def test_of_one_source(self, tmp_path):
        packed(tmp_path / "tokens", [[1, 2, 3]])
        assert [(one.name, one.inner) for one in open_sources(tmp_path)] == [("code", "code")]

    def test_of_a_mixture(self, root):
        mixture = [
            MixtureSource("go", languages=("Go",)),
            MixtureSource("old", tokens="old"),
            MixtureSource("python"),
            MixtureSource("python-2", tokens="two#python"),
            MixtureSource("far", tokens=str(root / "old")),
        ]
        found = open_sources(root, mixture)
        assert [(one.name, one.packed.folder.name, one.inner) for one in found] == [
            ("go", "tokens", "go"),
            ("old", "old", "code"),
            ("python", "tokens", "python"),
            ("python-2", "two", "python"),
            ("far", "old", "code"),
        ]
        assert Samples(found, Recipe(2, 0), PADDING).where(np.arange(9)).source.max() == 4

    @pytest.mark.parametrize(
        ("mixture", "problem"),
        [
            ([], "has no source 'code', but python, go"),
            ([MixtureSource("rust")], "has no source 'rust', but python, go"),
            ([MixtureSource("two", tokens="two")], "has no source 'two', but python, go"),
            ([MixtureSource("old", tokens="old#python")], "has no source 'python', but code"),
            ([MixtureSource("new", tokens="nowhere")], "nowhere is missing"),
            ([MixtureSource("go"), MixtureSource("big", tokens="larger")], r"another tokenizer \(000000000000, 51 tok"),
            ([MixtureSource("go"), MixtureSource("new", tokens="other")], r"another tokenizer \(111111111111, 50 tok"),
        ],
        ids=["no mixture", "no such source", "which of two", "none of it", "missing", "vocabulary", "tokenizer"],
    )
    def test_refused(self, root, mixture, problem):
        with pytest.raises(UserError, match=problem) as caught:
            open_sources(root, mixture)
        assert caught.value.hint


def test_a_source_under_another_name(sources):
    """The name draws the order, so that two sources of the same tokens differ."""
    python = sources[0]
    twice = [python, Source("again", python.packed, python.inner)]
    found = listed(Samples(twice, Recipe(8, 0, weights=(("python", 1), ("again", 1))), PADDING))
    one, two = ([row for source, _, row in found if source == number] for number in range(2))
    assert one != two


def test_it_is_read_from_where_it_lies(tmp_path):
    """Nothing of the tokens is read before a batch is."""
    folder = packed(tmp_path / "tokens", [[1, 2, 3, 4], [5, 6]])
    samples = Samples([Source("code", Packed.open(folder), "code")], Recipe(2, 0), PADDING)
    samples.prepare()
    path = folder / "code-0" / "tokens-00000.bin"
    data = path.read_bytes()
    path.write_bytes(data[:-1] + b"\x01")
    with pytest.raises(UserError, match=r"tokens-00000\.bin is damaged between bytes 0 and"):
        samples.batch(np.arange(1))
