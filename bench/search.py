"""The search index over a gigabyte of real code: how it is built, how fast it answers, beside others, and whether it is
right.

    python bench/search.py [--folder FOLDER] [--workspace WORKSPACE] [--only build,queries] [--rg PROGRAM] [--date DATE]

Input: a dataset of `corpus:standard` and `corpus:large` (69 packages of Debian, PyPI, npm; fetched where they are not
there; `--from` names others), filtered but not near-deduplicated; or a built workspace. Queries are made of lines drawn
from it, of six kinds (bench/search/queries.py). `build`: seconds of CPU of the stage, one worker, and sizes.
`queries`: each asked once, then timed, one after the other in one process: ten hits shown and the rest counted for the
default 2 ms, and without counting. `peers`: the same queries to ripgrep (over the files, and over one file) and to
SQLite's FTS5. `clients`: 32 of them at `starloom serve`. `equality`: all hits of each query against a scan by Python.
Sections that are not run anew stay in bench/results/search.json. The machine is shared: read figures as ratios.
"""

import argparse
import json
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from running import sections
from running.times import told, warm
from running.workspace import Corpus, ready

from dedup import watched
from search import clients, queries, roster, tables
from starloom.kernels import cuts
from starloom.search import layout
from starloom.search.index import SearchIndex
from starloom.workspace.manifest import open_folder

_SEED = 9
_MANY = 200


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.workspace = given.workspace or ready(folder / "workspace", given.source, given.workers)
        self._corpus: Corpus | None = None

    @property
    def corpus(self) -> Corpus:
        if self._corpus is None:
            self._corpus = Corpus.read(self.workspace)
        return self._corpus

    def build(self) -> dict[str, Any]:
        """From nothing, with one worker: the stage alone, in a process of its own; first without symbols."""
        return {"without symbols": self._built("no-symbols"), "with symbols": self._built()}

    def _built(self, *more: str) -> dict[str, Any]:
        script = Path(__file__).parent / "search" / "build_index.py"
        answer = watched.run([sys.executable, str(script), str(self.workspace), "search", *more], limit=7200)
        if "problem" in answer:
            raise SystemExit(answer["problem"])
        manifest = open_folder(self.workspace / "search")
        assert manifest is not None
        text = manifest.facts["text_bytes"]
        texts = sum(one.bytes for one in manifest.files if "texts-" in one.name)
        rows = sum(one.bytes for one in manifest.files if one.name.rpartition("/")[2].startswith("files."))
        rest = manifest.bytes - texts - rows
        filters = sum(map(_filters, (self.workspace / "search").glob("*/files.arrow")))
        told = {"files": manifest.facts["files"], "MB": text / 1e6, "symbols": manifest.facts["symbols"]}
        sizes = {"index": rest, "rows": rows, "block filters": filters, "texts": texts - filters}
        sizes = {name: size / text for name, size in sizes.items()}
        return answer | told | {"MB/s": text / 1e6 / answer["cpu"], "sizes": sizes}

    def queries(self) -> dict[str, Any]:
        made = {kind: queries.make(self.corpus, kind, self.given.queries, _SEED) for kind in queries.KINDS}
        questions = {kind: [one.text for one in some] for kind, some in made.items()}
        del made
        self._corpus = None  # one who answers has no gigabyte of files, which Python would go through now and then
        index = SearchIndex.open(self.workspace)
        index.prepare()
        found: dict[str, Any] = {}
        for kind, asked in questions.items():
            found[kind] = told(warm(index.search, asked))
            found[kind]["page only"] = told(warm(lambda query: index.search(query, count_seconds=0.0), asked))
            found[kind]["first"] = told(warm(lambda query: index.search(query, 1, count_seconds=0.0), asked))
            found[kind]["none shown"] = told(warm(lambda query: index.search(query, 0, count_seconds=0.0), asked))
            answers = [index.search(query) for query in asked]
            found[kind]["complete"] = sum(one.complete for one in answers)
            found[kind]["partial"] = sum(one.partial for one in answers)
            found[kind]["nothing"] = sum(not one.total for one in answers)
            print(kind, json.dumps(found[kind]), file=sys.stderr, flush=True)
        return found

    def peers(self) -> dict[str, Any]:
        asked = {kind: queries.make(self.corpus, kind, self.given.queries, _SEED) for kind in roster.KINDS}
        return roster.ask(self.corpus, asked, self.given.rg, self.folder)

    def clients(self) -> dict[str, Any]:
        some = [one.text for kind in queries.KINDS for one in queries.make(self.corpus, kind, 50, _SEED)]
        return clients.ask(self.workspace, some, self.given.clients)

    def equality(self) -> dict[str, Any]:
        """All hits of each query, and the files that a scan finds. Where those are more than _MANY, how many there are,
        and whether the first _MANY hits are among them."""
        index = SearchIndex.open(self.workspace)
        place = {(one.repo, one.path, one.split): number for number, one in enumerate(self.corpus.files)}
        kinds: dict[str, Any] = {}
        for kind in queries.KINDS:
            row: dict[str, Any] = {"queries": 0, "hits": 0, "counted": 0, "different": []}
            for asked in queries.make(self.corpus, kind, -(-self.given.equal // len(queries.KINDS)), _SEED + 1):
                expected = set(queries.answers(self.corpus, asked))
                first = [
                    place[one.repo_name, one.path, one.split] for one in islice(index.stream(asked.text), _MANY + 1)
                ]
                if len(first) > _MANY:
                    total = index.search(f"({asked.text}) count:all", 0, seconds=600.0).total
                    right = set(first) <= expected and len(set(first)) == len(first)
                    row["counted"] += 1
                else:
                    total, right = len(first), set(first) == expected
                row["queries"] += 1
                row["hits"] += total
                if not right or total != len(expected):
                    row["different"].append([asked.text, len(expected), total])
            kinds[kind] = row
            print(kind, json.dumps(row), file=sys.stderr, flush=True)
        return {"kinds": kinds}


def _filters(path: Path) -> int:
    """Bytes of the filters of blocks, which are among the texts of the shard with this file of rows."""
    places = ["text_file", "text_start", "text_bytes"]
    files = {name: np.memmap(name, np.uint8, "r") for name in path.parent.glob("texts-*.lz4")}
    size = 0
    for file, start, length in zip(*(one.to_pylist() for one in layout.live_rows(path, places).columns)):
        if length > cuts.LARGE:
            texts = files[path.with_name(layout.text_name(file))]
            many = int(texts[start : start + 4].view("<u4")[0])
            heads = texts[start + 4 : start + 4 + many * cuts.HEAD]
            size += 4 + len(heads) + int(heads.view("<u4").reshape(many, 4)[:, 2:].sum())
    return size


def main() -> None:
    parser = sections.options(__doc__, tables.SECTIONS)
    parser.add_argument("--queries", type=int, default=1000, help="of each kind")
    parser.add_argument("--equal", type=int, default=2000, help="queries that are compared with a scan")
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--rg", default="rg", help="ripgrep's program")
    sections.run("search", parser.parse_args(), Bench, tables.SECTIONS)


if __name__ == "__main__":
    main()
