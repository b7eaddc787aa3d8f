"""Agreement of `--linguist DIR` with that Linguist itself, file by file: languages, vendored, documentation.

    python bench/linguist_agreement.py FOLDER... [--linguist DIR] [--each 60]

Input: every plain file and every tar archive (package sources) below the folders. Of each extension, and of names
without one, at most `--each` contents are taken, those with the smallest hashes, so that rare extensions count as much
as `.c` and `.js`. Each is put into an empty folder under its own name and judged twice: by `Linguist::FileBlob` (ruby
with the gem github-linguist must be installed) and by starloom.languages.linguist reading that gem's tables. Files that
Linguist calls binary, and those not in UTF-8 or with a byte order mark (Linguist sees their bytes, Starloom their
text), are counted apart. Writes bench/results/linguist_agreement.json and .md.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tarfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starloom.languages.linguist import open_linguist
from starloom.languages.linguist.detector import Linguist
from starloom.outside.text import Decoded, decode

RESULTS = Path(__file__).parent / "results"
MAX_BYTES = 1 << 21
ARCHIVES = (".tgz", ".tbz", ".txz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz")

# What Linguist says; paths come and answers go one a line, as JSON.
RUBY = """
require 'json'
require 'linguist'
STDOUT.sync = false
STDIN.each_line do |line|
  base, path = JSON.parse(line)
  blob = Linguist::FileBlob.new(File.join(base, path), base)
  begin
    language = blob.language
    answer = [language && language.name, blob.binary?, blob.vendored?, blob.documentation?]
  rescue => problem
    answer = [problem.class.name, nil, nil, nil]
  end
  puts JSON.generate(answer)
end
"""
WHERE = "require 'linguist'; puts File.dirname($LOADED_FEATURES.grep(/lib.linguist.rb$/).first)"


def contents(folders: list[Path]) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every file, archives opened."""
    for folder in folders:
        for here, below, names in os.walk(folder):
            below[:] = sorted(one for one in below if one != ".git")
            for name in sorted(names):
                path = Path(here, name)
                if path.is_symlink() or not path.is_file():
                    continue
                if name.endswith(ARCHIVES):
                    yield from _archived(path)
                elif path.stat().st_size <= MAX_BYTES:
                    yield str(path.relative_to(folder)), path.read_bytes()


def _archived(path: Path) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                if member.isreg() and member.size <= MAX_BYTES and (file := archive.extractfile(member)):
                    yield member.name.partition("/")[2] or member.name, file.read()
    except (tarfile.TarError, OSError, EOFError) as problem:
        print(f"{path.name}: {problem}", file=sys.stderr)


def chosen(folders: list[Path], each: int) -> list[tuple[str, bytes]]:
    kept: dict[str, dict[str, tuple[str, bytes]]] = {}
    for path, data in contents(folders):
        name = path.rpartition("/")[2]
        if not data or not name.isprintable() or len(name.encode("utf-8", "surrogateescape")) > 200:
            continue
        extension = name.lower().rpartition(".")[2] if "." in name else ""
        of_extension = kept.setdefault(extension, {})
        of_extension[hashlib.sha1(data + name.encode("utf-8", "surrogateescape")).hexdigest()] = (path, data)
        if len(of_extension) > each:
            del of_extension[max(of_extension)]
    return [one for extension in sorted(kept) for _, one in sorted(kept[extension].items())]


def linguist_says(base: Path, paths: list[str]) -> list[list[Any]]:
    lines = "".join(json.dumps([str(base), path]) + "\n" for path in paths)
    done = subprocess.run(["ruby", "-e", RUBY], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def compare(linguist: Linguist, files: list[tuple[str, bytes]]) -> dict[str, Any]:
    with TemporaryDirectory() as folder:
        base = Path(folder)
        paths = []
        for number, (path, data) in enumerate(files):
            place = base / str(number)
            place.mkdir()
            name = path.rpartition("/")[2]
            (place / name).write_bytes(data)
            paths.append(f"{number}/{name}")
        began = time.perf_counter()
        theirs = linguist_says(base, paths)
        their_seconds = time.perf_counter() - began
    counts: Counter[str] = Counter()
    differing: list[dict[str, Any]] = []
    steps: Counter[str] = Counter()
    languages = set()
    seconds = 0.0
    for (path, data), used, (language, binary, vendored, documentation) in zip(files, paths, theirs, strict=True):
        decoded = decode(data)
        if vendored is None:
            counts["linguist_failed"] += 1
            continue
        if (linguist.is_vendor(used), linguist.is_documentation(used)) != (vendored, documentation):
            counts["paths_differing"] += 1
        counts["paths"] += 1
        if not isinstance(decoded, Decoded):
            counts["undecodable"] += 1
            continue
        began = time.perf_counter()
        ours = linguist.detect(used, decoded.text)
        seconds += time.perf_counter() - began
        counts["judged"] += 1
        kind = "binary" if binary else "files" if decoded.src_encoding == "UTF-8" else "other_encodings"
        counts[kind] += 1
        if kind == "files":
            languages.add(language)
            steps[ours.by if ours else "none"] += 1
        if (ours.language if ours else None) == language:
            counts[f"{kind}_agreeing"] += 1
        else:
            differing.append({"path": path, "kind": kind, "linguist": language, "ours": list(ours) if ours else None})
    return {
        "counts": dict(sorted(counts.items())),
        "languages": len(languages - {None}),
        "steps": dict(steps.most_common()),
        "extensions": len({path.rpartition("/")[2].lower().rpartition(".")[2] for path, _ in files}),
        "files_per_second": round(counts["judged"] / seconds) if seconds else None,
        "linguist_files_per_second": round(len(files) / their_seconds),
        "differing": differing,
    }


def paths_agree(linguist: Linguist, paths: list[str]) -> dict[str, int]:
    """Whole paths as they are in their packages; Linguist asks nothing of a file for these."""
    script = RUBY.replace("language = blob.language", "language = nil").replace("blob.binary?", "false")
    lines = "".join(json.dumps(["", path]) + "\n" for path in paths)
    done = subprocess.run(["ruby", "-e", script], input=lines.encode(), stdout=subprocess.PIPE, check=True)
    theirs = [json.loads(line)[2:] for line in done.stdout.splitlines()]
    # With an empty base the path keeps its first slash off: FileBlob takes "base/" away.
    ours = [[linguist.is_vendor(path), linguist.is_documentation(path)] for path in paths]
    return {
        "whole_paths": len(paths),
        "whole_paths_agreeing": sum(one == two for one, two in zip(ours, theirs, strict=True)),
    }


def report(result: dict[str, Any]) -> str:
    counts = result["counts"]

    def row(words: str, key: str) -> str:
        total, agreeing = counts.get(key, 0), counts.get(f"{key}_agreeing", 0)
        return f"| {words} | {total:,} | {agreeing:,} | {f'{agreeing / total:.2%}' if total else '-'} |"

    lines = [
        "# Agreement with Linguist, by its own tables",
        "",
        f"Made by `python bench/linguist_agreement.py {' '.join(result['folders'])}` with github-linguist "
        f"{result['version']}, {result['date']}. "
        f"{result['extensions']:,} extensions, {result['languages']:,} languages.",
        "",
        "| files | judged | agreeing | |",
        "|---|---:|---:|---:|",
        row("UTF-8 text", "files"),
        row("text in other encodings or with a byte order mark", "other_encodings"),
        row("binary for Linguist (so without a language), text for Starloom", "binary"),
        row("whole paths: vendored and documentation", "whole_paths"),
        "",
        f"Not judged: {counts.get('undecodable', 0):,} contents that Starloom does not read as text, "
        f"{counts.get('linguist_failed', 0):,} on which Linguist itself raised an error.",
        "",
        f"Speed, one core: {result['files_per_second']:,} files/s; Linguist itself "
        f"{result['linguist_files_per_second']:,} files/s, reading and guessing encodings included.",
        "",
        "Decided by: " + ", ".join(f"{step} {count:,}" for step, count in result["steps"].items()) + " (UTF-8 text).",
        "",
        "## Differing",
        "",
    ]
    lines += [
        f"- `{one['path']}` ({one['kind'].replace('_', ' ')}): Linguist {one['linguist']}, here {one['ours']}"
        for one in result["differing"][:60]
    ]
    return "\n".join(lines if result["differing"] else [*lines, "None."]) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--linguist", type=Path, help="its folder; by default where ruby has it")
    parser.add_argument("--each", type=int, default=60)
    options = parser.parse_args()
    where = options.linguist
    if where is None:
        found = subprocess.run(["ruby", "-e", WHERE], stdout=subprocess.PIPE, check=True)
        where = Path(found.stdout.decode().strip())
    version = subprocess.run(
        ["ruby", "-e", "require 'linguist'; puts Linguist::VERSION"], stdout=subprocess.PIPE, check=True
    )
    linguist = open_linguist(where)
    files = chosen(options.folders, options.each)
    result = compare(linguist, files)
    result["counts"] |= paths_agree(linguist, [path for path, _ in files])
    result |= {
        "version": version.stdout.decode().strip(),
        "folders": [one.name for one in options.folders],
        "date": time.strftime("%Y-%m-%d"),
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "linguist_agreement.json").write_text(json.dumps(result, indent=1) + "\n")
    (RESULTS / "linguist_agreement.md").write_text(report(result))
    print(report(result))


if __name__ == "__main__":
    main()
