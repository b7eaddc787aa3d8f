"""The membership index over a gigabyte of real code: how it is built, how fast it answers, what it finds and what not.

    python bench/membership.py [--folder FOLDER] [--workspace WORKSPACE] [--only build,planted] [--peers PYTHON]

Input: the dataset of bench/search.py. Held out: Python's library and the packages installed beside it. `build`: seconds
of CPU of the stage, one worker, and sizes. `speed`: held-out code end to end, and windows looked up. `attribution`:
2 KB with two re-indented copies of 600 characters in it. `planted`: 10,000 pieces of the dataset, changed in their
white space, in held-out code: found whole, and the right file named. `renamed`: at least 20 lines with other names.
`held out`: every match in held-out code, judged on the text of the file that is named, and how much of it is taken for
renamed copies. `peers`: infini-gram, rbloom and the rule of Data Portraits, each on a part that it can bear. Sections
that are not run anew stay in bench/results/membership.json. The machine is shared: read figures as ratios.
"""

import argparse
import json
import random
import re
import sys
import time
from functools import cached_property
from itertools import product
from pathlib import Path
from typing import Any

from running import sections
from running.times import told, warm
from running.workspace import Corpus, ready

from dedup import watched
from membership import asked, held_out, planted, renaming, roster, tables
from starloom.membership.check import Index
from starloom.workspace.manifest import open_folder

_SEED = 9
_HELD_OUT = 60_000_000  # characters
_SPEED = 30_000_000
_LARGE = 1_000_000


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.workspace = given.workspace or ready(folder / "workspace", given.source, given.workers)

    @cached_property
    def corpus(self) -> Corpus:
        return Corpus.read(self.workspace)

    @cached_property
    def others(self) -> list[tuple[str, str]]:
        return held_out.texts(_HELD_OUT)

    @cached_property
    def index(self) -> Index:
        return Index.open(self.workspace)

    def build(self) -> dict[str, Any]:
        return {"exact copies alone": self._built("no-renamed"), "renamed copies too": self._built()}

    def _built(self, *more: str) -> dict[str, Any]:
        script = Path(__file__).parent / "search" / "build_index.py"
        answer = watched.run([sys.executable, str(script), str(self.workspace), "membership", *more], limit=7200)
        if "problem" in answer:
            raise SystemExit(answer["problem"])
        manifest = open_folder(self.workspace / "membership")
        assert manifest is not None
        text = len(self.corpus.data)
        sizes: dict[str, float] = {}
        for one in manifest.files:
            name = re.sub("^[0-9]+-", "", one.name.rpartition("/")[2].partition(".")[0])
            sizes[name] = sizes.get(name, 0) + one.bytes / text
        return answer | {"MB": text / 1e6, "MB/s": text / 1e6 / answer["cpu"], "sizes": sizes, "facts": manifest.facts}

    def speed(self) -> dict[str, Any]:
        """Whole held-out files, as `starloom check DIR` asks about them, and one by one; and all their windows."""
        some, size = [], 0
        for _, text in self.others:
            some.append(text)
            size += len(text.encode())
            if size >= _SPEED:
                break
        for text in some[:50]:
            self.index.check(text)
        start = time.process_time()
        for text in some:
            asked.looked_at(self.index.check(text))
        one_by_one, start, files = time.process_time() - start, time.process_time(), 0
        for check in self.index.check_many(some):
            files += asked.looked_at(check)
        spent, start, matches = time.process_time() - start, time.process_time(), 0
        for check in self.index.check_many(some):
            matches += len(check.matches)
        told, start, size_of_json = time.process_time() - start, time.process_time(), 0
        for check in self.index.check_many(some):
            size_of_json += len(json.dumps(check.to_json(), ensure_ascii=False))
        as_json = time.process_time() - start
        windows, seconds = asked.windows(self.index, some)
        whole = "\n".join(some)
        pieces = [whole[start : start + _LARGE] for start in range(0, len(whole), _LARGE)]
        found = {"MB": size / 1e6, "texts": len(some), "MB/s": size / 1e6 / spent, "matches": matches}
        found["one by one, MB/s"] = size / 1e6 / one_by_one
        found |= {"files": files, "not looked at, MB/s": size / 1e6 / told}
        found |= {"as JSON, MB/s": size / 1e6 / as_json, "JSON, MB": size_of_json / 1e6}
        found |= {"windows": windows, "windows/s": windows / seconds}
        for name, texts in (("files", some), ("large texts", pieces)):
            found[f"folded and looked up, {name}"] = size / 1e6 / asked.looked_up(self.index, texts)
            found[f"confirmed, {name}"] = size / 1e6 / asked.confirmed(self.index, texts)
        return found

    def attribution(self) -> dict[str, Any]:
        chance = random.Random(f"attribution {_SEED}")
        others = [text for _, text in self.others]
        some = [asked.generation(self.corpus, others, chance) for _ in range(self.given.generations)]
        seconds = warm(lambda one: asked.looked_at(self.index.check(one.text)), some)
        judged = [asked.judged(self.index.check(one.text), one) for one in some]
        return told(seconds) | {
            "copies": sum(one.copies for one in judged),
            "found": sum(one.found for one in judged),
            "named": sum(one.named for one in judged),
        }

    def planted(self) -> dict[str, Any]:
        chance = random.Random(f"planted {_SEED}")
        others = [text for _, text in self.others]
        each = -(-self.given.planted // (len(planted.LENGTHS) * len(planted.CHANGES)))
        rows: dict[str, Any] = {}
        for length, change in product(planted.LENGTHS, planted.CHANGES):
            row = {"length": length, "change": change, "planted": 0, "found": 0, "named": 0, "told": 0, "missed": []}
            for _ in range(each):
                one = planted.plant(self.corpus, others, length, change, chance)
                verdict = asked.of_planted(self.index.check(one.text, files=None), one)
                row["planted"] += 1
                row["found"] += verdict.found
                row["named"] += verdict.named
                row["told"] += verdict.named or verdict.of_many
                if not verdict.found or not (verdict.named or verdict.of_many):
                    row["missed"] = [*row["missed"], [one.file.repo, one.file.path, one.text[one.start : one.end]]][:5]
            rows[f"{length} {change}"] = row
            print(json.dumps(row | {"missed": len(row["missed"])}), file=sys.stderr, flush=True)
        return {"rows": rows}

    def renamed(self) -> dict[str, Any]:
        """In each language as many; with all names replaced, and with half of them."""
        chance = random.Random(f"renamed {_SEED}")
        others = [text for _, text in self.others]
        by_language = {language: asked.files_of(self.corpus, language) for language in renaming.LANGUAGES}
        rows: dict[str, Any] = {}
        for language, numbers in by_language.items():
            for share in (1.0, 0.5):
                row = {"language": language, "share": share, "planted": 0, "found": 0, "named": 0, "exact": 0}
                for one in asked.copies(self.corpus, others, numbers, share, self.given.renamed, chance):
                    verdict = asked.of_renamed(self.index.check(one.text, files=None, renamed=True), one)
                    row["planted"] += 1
                    for name in ("found", "named", "exact"):
                        row[name] += getattr(verdict, name)
                rows[f"{language} {share}"] = row
                print(json.dumps(row), file=sys.stderr, flush=True)
        return {"rows": rows}

    def held_out(self) -> dict[str, Any]:
        return asked.held_out(self.index, self.corpus, self.others[: self.given.held_out])

    def peers(self) -> dict[str, Any]:
        return roster.ask(self.corpus, self.others, self.given.peers, self.folder, _SEED)


def main() -> None:
    parser = sections.options(__doc__, tables.SECTIONS)
    parser.add_argument("--planted", type=int, default=10_000, help="pieces changed in their white space")
    parser.add_argument("--generations", type=int, default=500, help="texts of 2 KB")
    parser.add_argument("--renamed", type=int, default=100, help="pieces with other names, of each language and share")
    parser.add_argument("--held-out", type=int, default=2000, help="files that are not in the dataset")
    parser.add_argument("--peers", default=sys.executable, help="a Python with infini-gram, rbloom and pyarrow")
    sections.run("membership", parser.parse_args(), Bench, tables.SECTIONS)


if __name__ == "__main__":
    main()
