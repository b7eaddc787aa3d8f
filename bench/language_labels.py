"""Labels files of packages for bench/languages.py: writes bench/languages/labels-packages.tsv.

    python bench/language_labels.py CONTENTS FOLDER CORPORA

Input: collections of samples whose folders or names say the language (`COLLECTIONS`), unpacked as FOLDER/OWNER+NAME or
FOLDER/NAME-VERSION, and the packages of our corpora, fetched to CORPORA/NAME (as `corpus:NAME@CORPORA/NAME`). Of the
packages, files whose extension or name only one language has; at most MAX_FILES of a language in a package, those with
the smallest hashes. Contents go to CONTENTS by git blob hash, for the bench. Labels are not looked at one
by one: what turns out to be wrong goes into bench/languages/corrections.tsv (blob, language, why; no language: left
out), where there is one. The classifier learns from none of these sources.
"""

import csv
import re
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from starloom.engine.local import LocalEngine
from starloom.engine.verbs import EngineSettings
from starloom.languages.table import by_name, load
from starloom.outside.text import Decoded, decode
from starloom.sources.open import open_source
from starloom.sources.repository import Place, Source, SourceError, SourceSettings, Wanted

LABELS = Path(__file__).parent / "languages" / "labels-packages.tsv"
CORRECTIONS = LABELS.with_name("corrections.tsv")
MAX_BYTES = 1 << 20
MAX_FILES = 6
MIN_CHARACTERS = 20  # shorter ones say nothing

# Source, its folder, what of a path says the language.
COLLECTIONS = (
    ("github:leachim6/hello-world", "leachim6+hello-world", r"^[a-z#]/([^/]+?)(?:\.[^./]+)?$"),
    ("pypi:pygments==2.19.2", "pygments-2.19.2", r"(?:^|/)tests/examplefiles/([^/]+)/(?!.*\.output$)[^/]+$"),
    ("github:universal-ctags/ctags", "universal-ctags+ctags", r"^Units/parser-([^/]+)\.r/[^/]+/input[^/]*$"),
    ("github:sharkdp/bat", "sharkdp+bat", r"^tests/syntax-tests/source/([^/]+)/(?!LICENSE|.*\.md$)[^/]+$"),
)
CORPORA = ("standard", "large")


class Row(NamedTuple):
    """One file."""

    source: str
    path: str
    blob: str
    language: str
    note: str  # how it was labelled


def main() -> int:
    if len(sys.argv) != 4:
        print(__doc__, file=sys.stderr)
        return 2
    contents, folder, corpora = map(Path, sys.argv[1:])
    rows: list[Row] = []
    contents.mkdir(parents=True, exist_ok=True)
    # A space of its own: an engine removes the folder that it spills to.
    with tempfile.TemporaryDirectory() as space, LocalEngine(EngineSettings(), Path(space, "spill")) as engine:
        place = Place(Path(space), engine)
        for name, below, pattern in COLLECTIONS:
            (source,) = open_source(SourceSettings(path=str(folder / below)), place).sources
            rows += labelled(source, name, re.compile(pattern), contents)
        for corpus in CORPORA:
            opened = open_source(SourceSettings(path=f"corpus:{corpus}@{corpora / corpus}"), place)
            for source in opened.sources:
                try:
                    rows += labelled(source, package_name(source), None, contents)
                except SourceError as problem:
                    print(f"left out: {problem}", file=sys.stderr)
            if opened.unfetched:
                print(f"not fetched: {len(opened.unfetched)} packages of {corpus}", file=sys.stderr)
    unique = {row.blob: row for row in reversed(corrected(rows))}
    with LABELS.open("w", newline="") as file:
        writer = csv.writer(file, delimiter="\t", quoting=csv.QUOTE_NONE, quotechar=None, lineterminator="\n")
        writer.writerow(Row._fields)
        writer.writerows(sorted(unique.values()))
    print(f"{len(unique)} files, {len({row.language for row in unique.values()})} languages")
    return 0


def package_name(source: Source) -> str:
    """As people write it: pypi:NAME==VERSION."""
    repository = source.repository()
    registry, _, name = repository.repo_name.partition("/")
    return f"{registry}:{name}{ {'pypi': '==', 'npm': '@'}.get(registry, '=') }{repository.version}"


def labelled(source: Source, name: str, pattern: re.Pattern[str] | None, contents: Path) -> Iterator[Row]:
    """The rows of one source, their contents put aside."""
    by_language: dict[str, dict[str, Row]] = defaultdict(dict)
    wanted = {}
    for entry in source.entries(MAX_BYTES):
        if (
            entry.entry_type != "file"
            or not entry.content_id
            or entry.problem
            or not set(entry.path).isdisjoint("\t\n\r")
        ):
            continue
        language = of_pattern(entry.path, pattern) if pattern else of_name(entry.path)
        if language:
            note = "folder" if pattern else "extension"
            by_language[language].setdefault(entry.content_id, Row(name, entry.path, entry.content_id, language, note))
            wanted[entry.content_id] = Wanted(entry.raw_path, entry.content_id, entry.size or 0)
    chosen = {}
    for found in by_language.values():
        chosen.update({blob: found[blob] for blob in sorted(found)[: 4 * MAX_FILES]})
    taken: dict[str, int] = defaultdict(int)
    for content in sorted(source.contents([wanted[blob] for blob in chosen]), key=lambda one: one.content_id):
        row = chosen[content.content_id]
        if content.data is None or taken[row.language] == MAX_FILES:
            continue
        decoded = decode(content.data)
        if isinstance(decoded, Decoded) and len(decoded.text) >= MIN_CHARACTERS:
            taken[row.language] += 1
            (contents / row.blob).write_bytes(content.data)
            yield row


def of_pattern(path: str, pattern: re.Pattern[str]) -> str | None:
    """The language whose name or alias is in the path."""
    match = pattern.search(path)
    language = (by_name(match[1]) or by_name(match[1].replace("-", " "))) if match else None
    return language.name if language else None


def of_name(path: str) -> str | None:
    """The only language that has the extension, or the whole name."""
    name = path.rpartition("/")[2]
    table = load()
    whole = table.by_file_name.get(name, ())
    if whole:
        return whole[0].name if len(whole) == 1 else None
    stem, _, extension = name.rpartition(".")
    sharers = table.by_extension.get(extension.lower(), ()) if stem else ()
    return sharers[0].name if len(sharers) == 1 else None


def corrected(rows: list[Row]) -> list[Row]:
    """With what people found on looking."""
    corrections = {}
    if CORRECTIONS.exists():
        with CORRECTIONS.open(newline="") as file:
            for one in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                corrections[one["blob"]] = (one["language"], one["why"])
    found = []
    for row in rows:
        if row.blob in corrections:
            language, why = corrections[row.blob]
            if not language:
                continue
            row = row._replace(language=language, note=why)
        found.append(row)
    return found


if __name__ == "__main__":
    sys.exit(main())
