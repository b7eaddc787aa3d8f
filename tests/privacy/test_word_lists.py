"""The lists that detectors read."""

import tomllib
from importlib import resources

import pytest

from starloom.privacy.word_lists import lines, words

PLACE = resources.files("starloom.privacy")
KEYS = tomllib.loads(PLACE.joinpath("word_lists.toml").read_text("utf-8"))

LINES = ("examples", "before_addresses", "before_versions")  # the others are words


@pytest.mark.parametrize("key", KEYS)
def test_a_list_is_in_lower_case_and_has_nothing_twice(key):
    rows = KEYS[key].strip("\n").split("\n")
    entries = rows if key in LINES else KEYS[key].split()
    assert len(entries) == len(set(entries))
    assert KEYS[key] == KEYS[key].lower()
    assert (lines(key) if key in LINES else words(key)) == set(entries)
    assert all(entries)


def test_top_level_domains():
    names = [
        name
        for line in PLACE.joinpath("top_level_domains.txt").read_text("utf-8").splitlines()
        if not line.startswith("#")
        for name in line.split()
    ]
    assert names == sorted(set(names))
    assert all(name.isascii() and name == name.lower() for name in names)
    assert {"com", "org", "de", "xn--p1ai", "museum"} <= set(names)
    assert not {"example", "test", "invalid", "localhost", "local", "png"} & set(names)
