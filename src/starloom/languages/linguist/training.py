"""What a gem's samples.json says, made from the `samples` folder of a checkout, which has none.

In memory, at run time; nothing of the samples is kept. Which classifier it is for, the checkout's own classifier.rb
tells: counts of tokens for naive Bayes (up to 7.22), else centroids: of each sample the vector of 1 + log frequency
times icf (1 + log of the share of languages that have the token), of tokens that two samples have, at length one; of
each language their mean, at length one. Cost: some 10 s for 3,000 samples.
"""

import hashlib
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from starloom.errors import UserError
from starloom.languages.linguist.first_lines import interpreter
from starloom.languages.linguist.tokens import tokenize

MAX_BYTES = 1 << 22  # of one sample
MAX_SAMPLES = 50_000
MIN_SAMPLES = 2  # that have a token, for it to count

Sample = dict[str, int]  # how often it has each token


def train(linguist: Path, folders: dict[str, str]) -> tuple[dict[str, Any], bytes]:
    """The data for the checkout around `linguist` (lib/linguist), and a hash of what was read; ({}, b"") without
    samples. `folders` gives the languages whose folder is named otherwise."""
    root = linguist.parent.parent / "samples"
    if not root.is_dir():
        return {}, b""
    digest = hashlib.sha256()
    samples: dict[str, list[Sample]] = {}
    extnames: dict[str, set[str]] = {}
    interpreters: dict[str, set[str]] = {}
    for path, language, is_name in _paths(root, folders):
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES)
        except OSError as problem:
            raise UserError(f"{path} cannot be read: {problem.strerror}", "check out Linguist anew") from None
        digest.update(f"{path.relative_to(root)} {len(data)}\n".encode("utf-8", "surrogateescape") + data)
        counts = Counter(token.decode("ascii") for token in tokenize(data))
        samples.setdefault(language, []).append(counts)
        if not is_name:
            if path.suffix:
                extnames.setdefault(language, set()).add(path.suffix)
            if program := interpreter(data):
                interpreters.setdefault(language, set()).add(program)
    if not samples:
        return {}, b""
    trained = _centroids(samples) if _has_centroids(linguist) else _counts(samples)
    trained["extnames"] = {name: sorted(values) for name, values in extnames.items()}
    trained["interpreters"] = {name: sorted(values) for name, values in interpreters.items()}
    return trained, digest.digest()


def _paths(root: Path, folders: dict[str, str]) -> Iterator[tuple[Path, str, bool]]:
    """(path, language, whether its whole name is what tells) of each sample."""
    seen = 0
    for folder in sorted(one for one in root.iterdir() if one.is_dir() and not one.is_symlink()):
        language = folders.get(folder.name, folder.name)
        for path in sorted([*folder.iterdir(), *(folder / "filenames").glob("*")]):
            if path.is_symlink() or not path.is_file():
                continue
            seen += 1
            if seen > MAX_SAMPLES:
                raise UserError(f"{root} has more than {MAX_SAMPLES:,} samples", "is it Linguist's own?")
            yield path, language, path.parent != folder


def _has_centroids(linguist: Path) -> bool:
    code = linguist / "classifier.rb"
    return not code.is_file() or b"centroid" in code.read_bytes()


def _counts(samples: dict[str, list[Sample]]) -> dict[str, Any]:
    tokens: dict[str, Counter[str]] = {}
    for name, of_language in samples.items():
        tokens[name] = Counter()
        for sample in of_language:
            tokens[name].update(sample)
    totals = {name: sum(counts.values()) for name, counts in tokens.items()}
    return {
        "tokens": tokens,
        "language_tokens": totals,
        "tokens_total": sum(totals.values()),
        "languages": {name: len(of_language) for name, of_language in samples.items()},
        "languages_total": sum(map(len, samples.values())),
    }


def _centroids(samples: dict[str, list[Sample]]) -> dict[str, Any]:
    having = Counter(token for of_language in samples.values() for sample in of_language for token in sample)
    vocabulary = {
        token: number for number, token in enumerate(sorted(t for t, n in having.items() if n >= MIN_SAMPLES))
    }
    languages = Counter(token for of_language in samples.values() for token in set().union(*of_language))
    icf = [1 + math.log(len(samples) / languages[token]) for token in vocabulary]
    centroids = {}
    for name, of_language in samples.items():
        mean: dict[int, float] = {}
        for sample in of_language:
            indices = {vocabulary[token]: count for token, count in sample.items() if token in vocabulary}
            for index, value in _unit({one: (1 + math.log(n)) * icf[one] for one, n in indices.items()}).items():
                mean[index] = mean.get(index, 0.0) + value / len(of_language)
        centroids[name] = {str(index): value for index, value in _unit(mean).items()}
    return {"vocabulary": vocabulary, "icf": icf, "centroids": centroids}


def _unit(vector: dict[int, float]) -> dict[int, float]:
    length = math.sqrt(sum(value * value for value in vector.values()))
    return {index: value / length for index, value in vector.items()} if length else {}
