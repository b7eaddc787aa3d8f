"""What `--explain` says is what the bands do."""

import re

import pytest

from starloom.dedup import MinHashSettings, explain, tuned
from starloom.dedup.bands import candidate_probability


def table(text):
    return {float(one): shown for one, shown in re.findall(r"^  (\S+) +([<>]?[01]\.\d{4})", text, re.MULTILINE)}


def test_the_default():
    text = explain(tuned(0.7), 0.7)
    assert "words: lower case, split at whatever is no letter" in text
    assert "256 permutations, seed 49" in text
    assert "51 of 5 rows" in text
    assert "Expected recall at the threshold 0.7: 0.9999" in text
    assert "best 64 only" in text
    assert table(text) == {
        0.3: "0.1167",
        0.4: "0.4084",
        0.5: "0.8019",
        0.6: "0.9839",
        0.7: "0.9999",
        0.8: ">0.9999",
        0.9: ">0.9999",
        1.0: "1.0000",
    }
    assert re.findall(r"^ +(\S+) .*<- threshold", text, re.MULTILINE) == ["0.7"]


@pytest.mark.parametrize("tokenisation", ["words", "bigcode-v2", "text-dedup"])
@pytest.mark.parametrize(("bands", "rows", "threshold"), [(25, 10, 0.7), (1, 256, 0.85), (256, 1, 0.05)])
def test_each_probability(tokenisation, bands, rows, threshold):
    text = explain(MinHashSettings(tokenisation, bands=bands, rows=rows), threshold)
    assert f"  {tokenisation}: " in text
    found = table(text)
    assert threshold in found
    for similarity, shown in found.items():
        exact = candidate_probability(similarity, bands, rows)
        if shown[0] in "<>":
            assert exact < 0.0001 if shown[0] == "<" else exact > 0.9999
        else:
            assert float(shown) == pytest.approx(exact, abs=0.00006)
    assert "5 tokens" in text
    assert all(len(line) <= 120 for line in text.splitlines())
