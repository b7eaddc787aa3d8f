"""Lists of words that detectors know: word_lists.toml."""

import tomllib
from functools import cache
from importlib import resources


def words(key: str) -> frozenset[str]:
    """The words under a key of word_lists.toml, in lower case."""
    return frozenset(_table()[key].split())


def lines(key: str) -> frozenset[str]:
    """The lines under a key of word_lists.toml, in lower case."""
    return frozenset(_table()[key].strip("\n").splitlines())


@cache
def _table() -> dict[str, str]:
    return tomllib.loads(resources.files("starloom.privacy").joinpath("word_lists.toml").read_text("utf-8"))
