"""The sample: so many bytes of each language, the same files whatever the parts and their order."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens import sampling
from starloom.tokens.mixture import MixtureSource
from starloom.tokens.special_tokens import SPECIAL_IDS
from tokens import datasets
from tokens.datasets import parts


def row(number, language="Python", size=10, repo_name="a/b"):
    return datasets.row(f"{number:08d}".ljust(size, "x"), language, repo_name)


def drawn(files, targets, seed=0):
    """Ids of the files drawn, as they are read."""
    chosen = sampling.draw(files, targets, seed)
    texts = [text for batch in sampling.read(files, chosen, SPECIAL_IDS) for text in batch]
    return ["id-" + str(int(text.strings[0][:8])) for text in texts]


def by_language(files, chosen):
    sums = np.bincount(files.strata[chosen] % len(files.languages), files.sizes[chosen], len(files.languages))
    return dict(zip(files.languages, sums.tolist(), strict=True))


MANY = [
    row(number, language, size)
    for number, (language, size) in enumerate(
        [("C", 900)] * 100 + [("Python", 450)] * 100 + [("Go", 100)] * 100 + [(None, 50)] * 10
    )
]


def test_each_language_has_its_share(tmp_path):
    files = sampling.files_of(parts(tmp_path, MANY, (33, 140)), 0)
    assert files.languages == ("", "C", "Go", "Python")
    targets = sampling.by_share(files, 14_550)  # a tenth
    assert targets.tolist() == [[50, 9_000, 1_000, 4_500]]
    chosen = sampling.draw(files, targets, 0)
    assert by_language(files, chosen) == {"": 50, "C": 9_000, "Go": 1_000, "Python": 4_500}
    assert drawn(files, targets) == [f"id-{number}" for number in np.flatnonzero(chosen)]
    assert drawn(files, targets, 1) == drawn(files, targets)  # sizes that come out even leave nothing to chance
    other = sampling.files_of(files.paths, 1)
    assert drawn(other, targets) != drawn(files, targets)


def test_evenly(tmp_path):
    files = sampling.files_of(parts(tmp_path, MANY), 0)
    assert sampling.evenly(files, 15_500).tolist() == [[500, 5_000, 5_000, 5_000]]
    assert sampling.evenly(files, 10**9).tolist() == files.available.tolist() == [[500, 90_000, 10_000, 45_000]]


@settings(max_examples=25, deadline=None)
@given(st.permutations(range(40)), st.lists(st.integers(0, 40), max_size=3), st.integers(0, 9_000), st.integers(0, 3))
def test_parts_and_order_do_not_matter(tmp_path_factory, order, cuts, size, seed):
    rows = [
        row(number, ("C", "Go", None)[number % 3], 8 + 37 * number % 400, f"r/{number % 4}") for number in range(40)
    ]
    mixture = (MixtureSource("go", languages=("Go",), weight=3), MixtureSource("rest-of-it", weight=1))
    folder = tmp_path_factory.mktemp("parts")
    before = sampling.files_of(parts(folder / "before", rows), seed, mixture)
    after = sampling.files_of(parts(folder / "after", [rows[n] for n in order], sorted(cuts)), seed, mixture)
    found = [drawn(files, sampling.by_share(files, size), seed) for files in (before, after)]
    assert sorted(found[0]) == sorted(found[1])
    assert found[1] == sorted(found[1], key=lambda one: order.index(int(one[3:])))  # read as they stand


def test_the_bytes_are_right_on_average(tmp_path):
    """The last file of a language comes in as often as its target reaches into it."""
    rows = [row(number, f"language {number % 50}", 1000) for number in range(200)]
    files = sampling.files_of(parts(tmp_path, rows), 0)
    targets = sampling.by_share(files, 15_000)  # 300 bytes of each language, whose files have 1,000
    sizes = [int(files.sizes[sampling.draw(files, targets, seed)].sum()) for seed in range(200)]
    assert abs(np.mean(sizes) - 15_000) < 4 * 3_240 / np.sqrt(200)  # binomial: 50 languages, 0.3 each
    assert min(sizes) < 15_000 < max(sizes)


def test_at_least_one_file(tmp_path):
    files = sampling.files_of(parts(tmp_path, MANY), 0)
    assert [len(drawn(files, sampling.by_share(files, 1), seed)) for seed in range(5)] == [1] * 5
    assert not drawn(files, sampling.by_share(files, 0))
    none = sampling.files_of(parts(tmp_path / "none", []), 0)
    assert not drawn(none, sampling.by_share(none, 100))
    nothing = sampling.files_of([], 0, (MixtureSource("a"),))
    assert not drawn(nothing, sampling.by_share(nothing, 100))


def test_everything(tmp_path):
    files = sampling.files_of(parts(tmp_path, MANY), 0)
    assert len(drawn(files, sampling.by_share(files, 10**9))) == len(MANY)
    assert len(drawn(files, sampling.evenly(files, 10**9))) == len(MANY)


# The mixture

SOURCES = [
    *(row(n, "Go", 100, "go/one") for n in range(40)),
    *(row(100 + n, "C", 10, "go/one") for n in range(40)),  # Go is the main language all the same
    *(row(200 + n, "C", 100, "linux/c") for n in range(60)),
    *(row(300 + n, "Python", 100, "linux/scripts") for n in range(20)),
    *(row(400 + n, "Java", 100, "else/where") for n in range(50)),
]


def mixed(tmp_path, size, *mixture):
    files = sampling.files_of(parts(tmp_path, SOURCES), 0, mixture)
    chosen = sampling.draw(files, sampling.by_share(files, size), 0)
    return by_language(files, chosen)


def test_sources_have_their_weights(tmp_path):
    go = MixtureSource("go", languages=("Go",), weight=3)
    linux = MixtureSource("linux", repositories=("linux/*",), weight=1)
    packed = MixtureSource("elsewhere", tokens="s3://bucket/tokens", weight=9)  # no text of it is here
    # 3/4 of 4,400 bytes are of go/one, of which C is 1/11; 1/4 of linux/*, 1/4 of that Python; nothing of the rest
    assert mixed(tmp_path, 4_400, go, packed, linux) == {"Go": 3_000, "C": 300 + 800, "Python": 300, "Java": 0}
    assert mixed(tmp_path, 10**9, go, linux) == {"Go": 4_000, "C": 6_400, "Python": 2_000, "Java": 0}


def test_what_a_source_lacks_the_others_give(tmp_path):
    go = MixtureSource("go", languages=("Go",), weight=9)
    linux = MixtureSource("linux", repositories=("linux/*",), weight=1)
    found = mixed(tmp_path, 8_400, go, linux)
    assert found["Go"] == 4_000  # all there is
    assert sum(found.values()) == 8_400


def test_without_weights_as_much_as_there_is(tmp_path):
    go, linux = MixtureSource("go", languages=("Go",)), MixtureSource("linux", repositories=("linux/*",))
    assert mixed(tmp_path, 6_200, go, linux) == {"Go": 2_000, "C": 3_200, "Python": 1_000, "Java": 0}


# How much of each


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.integers(0, 5)), min_size=1, max_size=8),
    st.integers(0, 6000),
)
def test_shares_are_filled(strata, size):
    available = np.array([[one for one, _ in strata]], dtype=np.float64)
    shares = np.array([[share for _, share in strata]], dtype=np.float64)
    targets = sampling.filled(available, shares, size)
    assert (targets <= available).all()
    assert targets.sum() == pytest.approx(min(size, available[shares > 0].sum()))
    levels = targets[shares > 0] / shares[shares > 0]
    short = targets[shares > 0] < available[shares > 0]
    if short.any():  # those that lack nothing are at one level, and none is above it
        assert np.allclose(levels[short], levels[short][0])
        assert (levels <= levels[short][0] + 1e-6).all()


# Reading


def test_markers_are_tokens(tmp_path):
    one = row(1)
    one |= {"content": "by <NAME>, <KEY>", "redactions": [{"start": 3, "end": 9, "kind": "NAME"}]}
    files = sampling.files_of(parts(tmp_path, [one]), 0)
    ((text,),) = sampling.read(files, np.array([True]), SPECIAL_IDS)
    assert text == ("a/b", "Python", ("by ", 34, ", <KEY>"))
    assert text.strings == ["by ", ", <KEY>"]
    ((text,),) = sampling.read(files, np.array([True]), {})
    assert text.parts == ("by <NAME>, <KEY>",)


def test_a_damaged_part(tmp_path):
    paths = parts(tmp_path, MANY)
    files = sampling.files_of(paths, 0)
    data = bytearray(paths[0].read_bytes())
    paths[0].write_bytes(data[:-100])
    with pytest.raises(UserError, match=r"0\.parquet cannot be read"):
        sampling.files_of(paths, 0)
    with pytest.raises(UserError, match=r"0\.parquet cannot be read"):
        list(sampling.read(files, np.ones(len(MANY), bool), {}))
