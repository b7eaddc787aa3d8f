"""Trains the language classifier: writes src/starloom/languages/centroids.zip.

    python scripts/language_classifier.py FOLDER

Input: the sources of language_classifier.toml, unpacked as FOLDER/OWNER+NAME at the commits that it names. A file's
label is the language of its extension where only one has it, or what the list says of an extension in that source; in
collections of samples, what the list takes from the path. None of these sources is in the
evaluation (bench/languages). The centroid of a language is the mean over its sources of the mean over the source's
files, so that no large project stands for a language; features in few files or, where there are several sources, in
one alone are left out. Cost: minutes, 2 GB of memory.
"""

import argparse
import hashlib
import re
import sys
import tomllib
import zipfile
from array import array
from collections import Counter, defaultdict
from math import log, sqrt
from pathlib import Path
from typing import Any

from starloom.languages.classifier import vector
from starloom.languages.table import by_name, load
from starloom.outside.text import Decoded, decode

LIST = Path(__file__).with_suffix(".toml")
CENTROIDS = Path(__file__).parents[1] / "src" / "starloom" / "languages" / "centroids.zip"

MAX_BYTES = 500_000  # of a file; longer ones are data more often than not
MAX_FILES = 60  # of a language in one source, those with the smallest hashes
MAX_FEATURES = 2_000  # of a centroid
MAX_WORDS = 1 << 16  # all features must have 16-bit numbers

Vectors = dict[str, list[dict[str, float]]]  # by language


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    wanted = shared_languages()
    found = []
    for source in tomllib.loads(LIST.read_text("utf-8"))["sources"]:
        vectors = read(source, arguments.folder, wanted)
        print(f"{source['name']}: {sum(map(len, vectors.values()))} files, {len(vectors)} languages", flush=True)
        found.append(vectors)
    centroids = train(found)
    write(CENTROIDS, centroids)
    print(f"{CENTROIDS.name}: {len(centroids)} languages, {CENTROIDS.stat().st_size} bytes")
    print("no centroid:", ", ".join(sorted(wanted - centroids.keys())))
    return 0


def shared_languages() -> set[str]:
    """The languages that a file may be in when neither its name nor its extension decides."""
    table = load()
    return {
        language.name
        for sharers in (*table.by_extension.values(), *table.by_file_name.values())
        if len(sharers) > 1
        for language in sharers
    }


def read(source: dict[str, Any], folder: Path, wanted: set[str]) -> Vectors:
    """The vectors of a source's labelled files."""
    label = Label(source)
    vectors: Vectors = {}
    for language, texts in labelled(source, folder, label).items():
        if language in wanted:
            vectors[language] = [one for one in map(vector, texts) if one]
    if label.unknown:
        print(f"  unknown labels: {' '.join(sorted(label.unknown))}", file=sys.stderr)
    return vectors


class Label:
    """The language of a path in a source: what `labels` captures of the path, as a name or alias, or the extension."""

    def __init__(self, source: dict[str, Any]) -> None:
        self._pattern = re.compile(source["labels"]) if "labels" in source else None
        self._known: dict[str, str] = source.get("languages", {})
        self.unknown: set[str] = set()

    def __call__(self, path: str) -> str | None:
        if self._pattern is None:
            _, dot, extension = path.rpartition("/")[2].rpartition(".")
            if extension in self._known:
                return self._known[extension] or None
            sharers = load().by_extension.get(extension.lower(), ()) if dot else ()
            return sharers[0].name if len(sharers) == 1 else None
        match = self._pattern.search(path)
        if match is None:
            return None
        label = match[1].lower()
        if label in self._known:
            return self._known[label] or None
        language = by_name(label) or by_name(label.replace("-", " ")) or by_name(label.replace("_", " "))
        if language is None:
            self.unknown.add(label)
        return language.name if language else None


def labelled(source: dict[str, Any], folder: Path, label: Label) -> dict[str, list[str]]:
    """Texts of a source by language, each content once."""
    repository = source["name"].partition(":")[2].partition("@")[0]
    top = folder / repository.replace("/", "+")
    if not top.is_dir():
        raise SystemExit(f"{source['name']} is missing: unpack it as {top}")
    found: dict[str, dict[bytes, str]] = defaultdict(dict)
    for path in sorted((top / source.get("below", "")).rglob("*")):
        language = label(path.relative_to(top).as_posix())
        if language is None or path.is_symlink() or not path.is_file() or path.stat().st_size > MAX_BYTES:
            continue
        data = path.read_bytes()
        decoded = decode(data)
        if isinstance(decoded, Decoded):
            found[language][hashlib.sha256(data).digest()] = decoded.text.partition(source.get("ends", "\0"))[0]
    return {language: [texts[mark] for mark in sorted(texts)[:MAX_FILES]] for language, texts in found.items()}


def train(sources: list[Vectors]) -> dict[str, dict[str, float]]:
    """The centroids, without lengths being 1."""
    means: dict[str, dict[str, float]] = {}
    for language in sorted({language for vectors in sources for language in vectors}):
        of_sources = [vectors[language] for vectors in sources if vectors.get(language)]
        files = sum(map(len, of_sources))
        in_files: Counter[str] = Counter()
        in_sources: Counter[str] = Counter()
        mean: dict[str, float] = defaultdict(float)
        for vectors in of_sources:
            seen: set[str] = set()
            for one in vectors:
                seen |= one.keys()
                in_files.update(one.keys())
                for feature, weight in one.items():
                    mean[feature] += weight / len(vectors) / len(of_sources)
            in_sources.update(seen)
        least = 1 if files < 6 else 2 if files < 40 else 3
        means[language] = {
            feature: weight
            for feature, weight in mean.items()
            if in_files[feature] >= least and (len(of_sources) < 3 or in_sources[feature] > 1)
        }
    languages = len(means)
    having = Counter(feature for mean in means.values() for feature in mean)
    centroids = {}
    for language, mean in means.items():
        weighted = {feature: weight * log(1 + languages / having[feature]) for feature, weight in mean.items()}
        centroids[language] = dict(sorted(weighted.items(), key=lambda item: (-item[1], item[0]))[:MAX_FEATURES])
    return centroids


def write(path: Path, centroids: dict[str, dict[str, float]]) -> None:
    """The format is described in classifier.py. The same centroids give the same bytes."""
    counts = Counter(feature for centroid in centroids.values() for feature in centroid)
    words = [feature for feature, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MAX_WORDS]]
    numbers = {word: number for number, word in enumerate(words)}
    members = {"words": "\v".join(words).replace("\n", "\t").encode(), "languages": "\n".join(centroids).encode()}
    for line, centroid in enumerate(centroids.values()):
        largest = max(centroid.values(), default=1.0)
        scaled = {word: round(255 * sqrt(weight / largest)) for word, weight in centroid.items()}
        kept = sorted((numbers[word], weight) for word, weight in scaled.items() if word in numbers and weight)
        data = array("H", [number for number, _ in kept])
        if sys.byteorder == "big":
            data.byteswap()
        members[str(line)] = data.tobytes() + bytes(weight for _, weight in kept)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, member in members.items():
            archive.writestr(zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0)), member, zipfile.ZIP_DEFLATED, 9)


if __name__ == "__main__":
    sys.exit(main())
