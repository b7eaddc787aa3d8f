"""Tiles, their table and its look-up, against plain Python and dictionaries."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.kernels import tile_runs, tile_table, tiles, twins
from starloom.kernels.text import frozen
from starloom.kernels.tiles import WIDTH

unhurried = settings(deadline=None, max_examples=80)
texts = st.one_of(
    st.binary(max_size=260),
    st.integers(0, 260).map(lambda size: b"a" * size),
    st.tuples(st.binary(max_size=7), st.integers(0, 40)).map(lambda one: one[0] * one[1]),
)


def buffers(contents):
    offsets = np.cumsum([0, *map(len, contents)]).astype(np.int64)
    return offsets, np.frombuffer(b"".join(contents), dtype=np.uint8)


def table(hashes, bits=None):
    """The table of these hashes, tile k being the k-th."""
    bits = tiles.bucket_bits(len(hashes)) if bits is None else bits
    order = np.argsort(hashes, kind="stable")
    ordered = hashes[order]
    starts = [np.searchsorted(ordered, np.uint64(bucket << (64 - bits))) for bucket in range(2**bits)]
    words = tiles.filter_words(ordered, bits, 0, 2**bits)
    bounds = np.array([*starts, len(hashes)], dtype=np.uint32)
    return tiles.frozen_table(tiles.Table(bits, words, bounds, tiles.tags_of(ordered, bits), order.astype(np.uint32)))


def looked_up(text, made, most=10**6):
    """{offset: tiles} of a look-up."""
    found = tiles.look_up(np.frombuffer(text, dtype=np.uint8), made, most)
    assert (np.diff(found.offsets) > 0).all()
    rows = zip(found.offsets.tolist(), found.first.tolist(), found.length.tolist())
    return {offset: made.tiles[first : first + length].tolist() for offset, first, length in rows}


@unhurried
@given(st.lists(texts, max_size=5))
def test_hashes(contents):
    bounds, hashes = tiles.tile_hashes(*buffers(contents))
    for text, (a, b) in zip(contents, itertools.pairwise(bounds)):
        whole = range(0, len(text) - WIDTH + 1, WIDTH)
        assert hashes[a:b].tolist() == [twins.window_hash(text[at : at + WIDTH]) for at in whole]
        windows = tiles.window_hashes(np.frombuffer(text, dtype=np.uint8)).tolist()
        assert windows == [twins.window_hash(text[at : at + WIDTH]) for at in range(len(text) - WIDTH + 1)]


@unhurried
@given(st.lists(texts, min_size=1, max_size=5), texts, st.integers(1, 12))
def test_look_up(contents, before, bits):
    made = table(tiles.tile_hashes(*buffers(contents))[1], bits)
    every = [text[at : at + WIDTH] for text in contents for at in range(0, len(text) - WIDTH + 1, WIDTH)]
    asked = before + contents[-1] + before
    expected = {}
    for at in range(len(asked) - WIDTH + 1):
        if places := [number for number, tile in enumerate(every) if tile == asked[at : at + WIDTH]]:
            expected[at] = places
    assert looked_up(asked, made) == expected
    assert {at: some[:4] for at, some in expected.items()} == looked_up(asked, made, 3)  # one more than asked for


@unhurried
@given(st.lists(st.integers(0, 2**64 - 1), max_size=200), st.integers(1, 10))
def test_the_filter_is_the_same_in_pieces_and_loses_none(hashes, bits):
    hashes = np.sort(np.array(hashes, dtype=np.uint64))
    whole = tiles.filter_words(hashes, bits, 0, 2**bits)
    half = 2 ** (bits - 1)
    split = np.searchsorted(hashes, np.uint64(half << (64 - bits)))
    pieces = [tiles.filter_words(hashes[:split], bits, 0, half), tiles.filter_words(hashes[split:], bits, half, half)]
    assert np.concatenate(pieces).tolist() == whole.tolist()
    for one in hashes.tolist():
        mask = sum({1 << (one >> shift & 63) for shift in (0, 6, 12, 18)})
        assert int(whole[one >> (64 - bits)]) & mask == mask


def test_a_run_ends_with_its_bucket():
    low, high = np.uint64(0x00000000_12345678), np.uint64(0x80000000_12345678)  # one tag, two buckets
    hashes = np.array([low, low, low, high, high], dtype=np.uint64)
    made = table(hashes, 1)
    assert len(set(made.tags.tolist())) == 1
    assert tile_runs.run_ends(made, np.arange(5)).tolist() == [3, 3, 3, 5, 5]


@pytest.mark.parametrize("count", [0, 1, 2, 3, 100, 10**6, 2**32 - 1])
def test_bits(count):
    bits = tiles.bucket_bits(count)
    assert 1 <= bits <= tiles.MOST_BITS
    assert count < 100 or 3 <= count / 2**bits < 6 or bits == tiles.MOST_BITS


@pytest.mark.parametrize("size", [0, 1, 49])
def test_too_short_for_a_tile(size):
    text = b"a" * size
    assert tiles.tile_hashes(*buffers([text]))[1].tolist() == []
    assert looked_up(text, table(np.zeros(0, dtype=np.uint64))) == {}


def test_damaged_buckets_read_nothing_outside():
    made = table(tiles.tile_hashes(*buffers([b"a" * 500]))[1])
    wild = tiles.frozen_table(made._replace(starts=np.full_like(made.starts, 2**32 - 1)))
    assert looked_up(b"a" * 100, wild) == {}
    endless = made._replace(starts=np.array([0] * 2**made.bits + [2**32 - 1], dtype=np.uint32))
    assert looked_up(b"a" * 100, tiles.frozen_table(endless))
    assert tile_runs.run_ends(wild, np.arange(10)).max() <= 10


@unhurried
@given(st.lists(texts, min_size=1, max_size=4), texts, st.sampled_from([32, 50, 7]))
def test_another_width(contents, before, width):
    offsets, data = buffers(contents)
    made = table(tiles.tile_hashes(offsets, data, width)[1])
    every = [text[at : at + width] for text in contents for at in range(0, len(text) - width + 1, width)]
    query = np.frombuffer(before + contents[0], dtype=np.uint8)
    found = tiles.look_up(query, made, 10**6, width)
    expected = [at for at in range(len(query) - width + 1) if query[at : at + width].tobytes() in every]
    assert found.offsets.tolist() == expected
    hashes = tiles.hashes_at(query, found.offsets, width)
    again = tiles.look_up_hashes(hashes, made, 10**6)
    assert again.offsets.tolist() == list(range(len(expected)))
    assert (again.first.tolist(), again.length.tolist()) == (found.first.tolist(), found.length.tolist())


def test_hashes_outside():
    query = np.zeros(60, dtype=np.uint8)
    for offset in (-1, 11):
        with pytest.raises(ValueError, match="outside"):
            tiles.hashes_at(query, np.array([offset]), 50)


# --- tables -----------------------------------------------------------------------------------------------------------

some_hashes = st.lists(
    st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 20), st.sampled_from([2**63, 2**63 + 5])), max_size=300
).map(lambda one: np.array(one, dtype=np.uint64))


@unhurried
@given(some_hashes, st.integers(0, 6))
def test_parted(hashes, bits):
    bounds, ordered, numbers = tile_table.parted(hashes, bits)
    keys = [int(one) >> (64 - bits) if bits else 0 for one in hashes]
    order = sorted(range(len(keys)), key=lambda k: (keys[k], k))
    assert numbers.tolist() == order
    assert ordered.tolist() == hashes[order].tolist()
    assert bounds.tolist() == [sum(key < part for key in keys) for part in range(2**bits + 1)]


@unhurried
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 2**32 - 6)), max_size=20), st.randoms())
def test_renumbered(texts, dice):
    """`texts`: of each how many tiles it has, and the new number of the first."""
    counts, first = np.array(texts, dtype=np.int64).reshape(-1, 2).T
    new = [number + k for count, number in texts for k in range(count)]
    numbers = list(range(len(new)))
    dice.shuffle(numbers)
    found = tile_table.renumbered(np.array(numbers, np.uint32), counts.astype(np.uint32), first)
    assert found.tolist() == [new[one] for one in numbers]
    with pytest.raises(IndexError):
        tile_table.renumbered(np.array([len(new)], np.uint32), counts.astype(np.uint32), first)


@unhurried
@given(some_hashes, st.integers(1, 8), st.integers(0, 4), st.randoms())
def test_bucketed_in_ranges_is_the_table(hashes, bits, ranges, dice):
    """However the tiles came: the same as sorting them all."""
    ranges = min(ranges, bits)
    numbers = list(range(len(hashes)))
    dice.shuffle(numbers)
    shuffled = hashes[numbers]
    bounds, ordered, places = tile_table.parted(shuffled, ranges)
    numbers = np.array(numbers, dtype=np.uint32)[places]
    buckets = 2 ** (bits - ranges)
    columns, before = [], 0
    for part in range(2**ranges):
        some = slice(bounds[part], bounds[part + 1])
        words, starts, tags, found = tile_table.bucketed(ordered[some], numbers[some], bits, part * buckets, buckets)
        columns.append((words, before + starts[:-1], tags, found))
        before += len(tags)
    words, starts, tags, found = map(np.concatenate, zip(*columns))
    expected = table(hashes, bits)
    assert words.tolist() == expected.filter.tolist()
    assert [*starts, before] == expected.starts.tolist()
    assert tags.tolist() == expected.tags.tolist()
    # `table` keeps whole hashes in order, this one their tags: the same but where two hashes have one tag
    pairs = sorted((int(one) >> (32 - bits), k) for k, one in enumerate(hashes.tolist()))
    assert found.tolist() == [k for _, k in pairs]


def test_another_range():
    with pytest.raises(ValueError, match="another range"):
        tile_table.bucketed(np.array([2**63], dtype=np.uint64), np.zeros(1, dtype=np.uint32), 4, 0, 4)


# --- runs -------------------------------------------------------------------------------------------------------------

files = st.lists(
    st.tuples(st.integers(0, 30) | st.integers(0, 400), st.integers(0, 2)), min_size=1, max_size=12
)  # tiles, state


@unhurried
@given(files, st.sampled_from([(0, 1, 1), (0, 1, 0), (0, 0, 1)]), st.integers(1, 12), st.integers(1, 8), st.randoms())
def test_runs_over_files(told, wanted, most, most_files, dice):
    """Two tiles that stand at some places of some files, of which some answer."""
    first_tile = np.cumsum([0, *(size for size, _ in told)]).astype(np.uint32)
    state = np.array([one for _, one in told], dtype=np.uint8)
    columns = (
        frozen(one, one.dtype)
        for one in (first_tile, tile_runs.near(first_tile), state, np.array(wanted, dtype=np.uint8))
    )
    answering = tile_runs.Files(*columns)
    every = [[k for k in range(int(first_tile[-1])) if dice.random() < 0.4] for _ in range(2)]
    hashes = np.repeat(np.array([99, 2**63 + 99], dtype=np.uint64), [len(one) for one in every])
    numbers = np.array([*every[0], *every[1]], dtype=np.uint32)
    made = tiles.frozen_table(table(hashes, 3)._replace(tiles=numbers))
    file_of = [number for number, (size, _) in enumerate(told) for _ in range(size)]
    runs = [(99, 0, every[0])] * 2 + [(2**63 + 99, len(every[0]), every[1])]
    runs = [one for one in runs if one[2]]
    first = np.array([begin for _, begin, _ in runs], dtype=np.int64)
    expected, all_living = [], []
    for number, (_, _, places) in enumerate(runs):
        living = [place for place in places if wanted[state[file_of[place]]]]
        all_living += [(7 * number, file_of[one], one - int(first_tile[file_of[one]])) for one in living]
        firsts = [one for k, one in enumerate(living) if k == 0 or file_of[living[k - 1]] != file_of[one]]
        sharing, new = min(len(firsts), most_files), firsts[:most_files][:most]
        open_files = {file_of[one] for one in new} if len(new) == sharing else set()  # of which more is taken
        others = [one for one in living if one not in new and file_of[one] in open_files]
        expected.append((living, sharing, new, others))
    counts = tile_runs.living(made, first, answering, most)
    assert counts.tolist() == [min(len(living), most + 1) for living, *_ in expected]
    found = tiles.Found(7 * np.arange(len(runs)), first, np.array([len(places) for *_, places in runs], dtype=np.int64))
    assert list(zip(*(column.tolist() for column in tile_runs.every(made, found, answering)))) == all_living
    spread, sharing = tile_runs.spread(made, first, answering, most, most_files)
    assert sharing.tolist() == [one for _, one, *_ in expected]
    got = list(zip(*(column.tolist() for column in spread)))
    wanted_places = []
    for number, (_, _, firsts, others) in enumerate(expected):
        rows = [(0, one) for one in firsts] + [(1, one) for one in others]
        wanted_places += [
            (number, again, file_of[one], one - int(first_tile[file_of[one]])) for again, one in rows[:most]
        ]
    assert got == wanted_places


def test_an_entry_that_names_no_file():
    made = table(np.full(3, 99, dtype=np.uint64), 1)
    first_tile = np.array([0, 2], dtype=np.uint32)
    columns = first_tile, tile_runs.near(first_tile), np.zeros(1, dtype=np.uint8), np.ones(1, dtype=np.uint8)
    files = tile_runs.Files(*(frozen(one, one.dtype) for one in columns))
    every = tiles.look_up_hashes(np.array([99], dtype=np.uint64), made, 10)
    with pytest.raises(ValueError, match="no file"):
        tile_runs.every(made, every, files)
