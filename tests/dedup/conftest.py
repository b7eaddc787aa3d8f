"""A corpus with families: files of the standard library, and copies of them that drift away by steps."""

import itertools
import random
import re

import numpy as np
import pytest
from tests.python_files import python_files


@pytest.fixture(scope="session")
def corpus() -> list[str]:
    """600 files of 1 to 12 KB and two copies of each, of whose lines 0 to 20 % come from elsewhere."""
    originals: list[str] = []
    for path in python_files():
        if len(originals) == 600:
            break
        if not 1_000 < path.stat().st_size < 12_000:
            continue
        try:
            originals.append(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue
    dice = random.Random(20261124)
    foreign = [line for text in originals[:50] for line in text.splitlines(keepends=True) if len(line) > 30]
    found = []
    for text in originals:
        found.append(text)
        for _ in range(2):
            share = dice.uniform(0, 0.2)
            lines = text.splitlines(keepends=True)
            found.append("".join(dice.choice(foreign) if dice.random() < share else line for line in lines))
    dice.shuffle(found)
    return found


@pytest.fixture(scope="session")
def exact_pairs(corpus) -> dict[tuple[int, int], float]:
    """(i, j), i < j → Jaccard, of every pair at .5 and above: all with all, and no kernel takes part."""
    numbers: dict[tuple[str, ...], int] = {}
    sets = []
    for text in corpus:
        tokens = re.findall(r"\w+", text.lower())
        grams = set(zip(*(itertools.islice(tokens, k, None) for k in range(5))))
        sets.append(np.array(sorted(numbers.setdefault(gram, len(numbers)) for gram in grams), dtype=np.int64))
    sizes = np.array([len(one) for one in sets])
    members = np.concatenate(sets)
    owners = np.repeat(np.arange(len(sets)), sizes)
    order = np.argsort(members, kind="stable")
    owners = owners[order]
    starts = np.searchsorted(members[order], np.arange(len(numbers) + 1))
    found = {}
    for i, one in enumerate(sets):
        holders = [owners[starts[member] : starts[member + 1]] for member in one.tolist()]
        common = np.bincount(np.concatenate([*holders, np.zeros(0, np.int64)]), minlength=len(sets))
        similarity = common / np.maximum(sizes + sizes[i] - common, 1)
        for j in (np.flatnonzero(similarity[i + 1 :] >= 0.5) + i + 1).tolist():
            found[i, j] = float(similarity[j])
    return found
