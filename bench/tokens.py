"""Tokens: how fast they are made, how fast they are read, beside others, and whether the ids are right.

    python bench/tokens.py [--folder FOLDER] [--workspace WORKSPACE] [--only encoding,equality] [--date DATE]
        [--gigatoken PYTHON] [--peers PYTHON] [--sample-mb 200] [--equal-mb 2000]

Input: a dataset of `corpus:standard` and `corpus:large` (69 packages of Debian, PyPI, npm; fetched where they are not
there; `--from` names others), filtered but not near-deduplicated; or a built workspace, whose tokenizer and tokens are
made anew. `tokenizer` and `pack`: the stages alone, one worker, from nothing. `encoding`: the same texts to Hugging
Face's tokenizers, tiktoken, gigatoken (of the Python that `--gigatoken` names) and Starloom's encoder, one thread each.
`documents`: laid out, ordered by imports, parsed. `equality`: the ids of every file against Hugging Face's.
`packing`: rows of both methods. `loading`: batches from local disk, beside litdata's and Megatron's loaders; `far`:
from a web server that is slow to answer; `datatrove`: its tokenizer (both of the Python that `--peers` names).
Sections that are not run anew stay in bench/results/tokens.json. The machine is shared: read figures as ratios.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from running import sections
from running.workspace import ready

from dedup import watched
from tokens import documents, encoding, far, loading, packing, tables


class Bench:
    def __init__(self, given: argparse.Namespace, folder: Path) -> None:
        self.given = given
        self.folder = folder
        self.workspace = given.workspace or ready(folder / "workspace", given.source, given.workers)

    @property
    def tokenizer(self) -> Path:
        if not (self.workspace / "tokenizer").exists():
            self._stage("tokenizer")
        return self.workspace / "tokenizer"

    def tokenizer_stage(self) -> dict[str, Any]:
        return self._stage("tokenizer")

    def pack(self) -> dict[str, Any]:
        assert self.tokenizer
        return self._stage("pack")

    def encoding(self) -> dict[str, Any]:
        given = self.given
        rows = encoding.speeds(self.workspace, self.tokenizer, self.folder, given.sample_mb, given.gigatoken)
        return {"encoders": rows}

    def equality(self) -> dict[str, Any]:
        return encoding.equality(self.workspace, self.tokenizer, self.given.equal_mb)

    def documents(self) -> dict[str, Any]:
        return documents.measure(self.workspace, self.given.sample_mb)

    def packing(self) -> dict[str, Any]:
        return packing.rows(self.packed)

    def loading(self) -> dict[str, Any]:
        return loading.speeds(self.packed, self.folder, self.given.peers)

    def far(self) -> dict[str, Any]:
        return far.measure(self.packed, self.folder)

    def datatrove(self) -> dict[str, Any]:
        given = self.given
        peers = given.peers or sys.executable
        return loading.datatrove(self.workspace, self.tokenizer, self.folder, given.sample_mb, peers)

    @property
    def packed(self) -> Path:
        if not (self.workspace / "tokens").exists():
            self.pack()
        return self.workspace / "tokens"

    def _stage(self, name: str) -> dict[str, Any]:
        script = Path(__file__).parent / "tokens" / "run_stage.py"
        answer = watched.run([sys.executable, str(script), str(self.workspace), name], limit=7200)
        if "problem" in answer:
            raise SystemExit(answer["problem"])
        print(name, json.dumps(answer), file=sys.stderr, flush=True)
        return answer


def main() -> None:
    parser = sections.options(__doc__, tables.SECTIONS)
    parser.add_argument("--gigatoken", default="", help="a Python that has gigatoken and pyarrow")
    parser.add_argument("--peers", default="", help="a Python that has datatrove, litdata and megatron-core")
    parser.add_argument("--sample-mb", type=float, default=200.0, help="of text, for `encoding`")
    parser.add_argument("--equal-mb", type=float, default=1e9, help="of text at most, for `equality`")
    sections.run("tokens", parser.parse_args(), Bench, tables.SECTIONS)


if __name__ == "__main__":
    main()
