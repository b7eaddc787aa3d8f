"""Who else is asked: ripgrep, which reads everything each time, SQLite's FTS5; and what Zoekt says of itself."""

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from running.times import told
from running.workspace import Corpus

from dedup import watched
from search.queries import Asked

KINDS = ("keyword", "phrase", "substring", "regex")
_TOKENIZERS = {"trigram": ("phrase", "substring"), "unicode61 tokenchars '_'": ("keyword", "phrase")}
_FEW = 20  # queries of a kind for ripgrep
_FOLDERS = 256

# doc/design.md and doc/faq.md of sourcegraph/zoekt at c4d8f353 (2026-08-07), quoted
ZOEKT = (
    "design goal: answers within 50 ms over about 2 GB of text; a shard takes 3.5 times the text, memory 1.2 times; "
    "Linux 545 MB indexed in 160 s by one thread; rare strings 7-10 ms"
)


def ask(corpus: Corpus, asked: dict[str, list[Asked]], rg: str, folder: Path) -> dict[str, Any]:
    """`folder`: for the texts as peers want them, and their indexes."""
    return {"ripgrep": ripgrep(corpus, asked, rg, folder), "SQLite": sqlite(corpus, asked, folder), "Zoekt": ZOEKT}


def ripgrep(corpus: Corpus, asked: dict[str, list[Asked]], rg: str, folder: Path) -> dict[str, Any]:
    """The names of the files that hold it, one thread: over all files, and over one file of all texts; warm."""
    tree, whole = folder / "tree", folder / "texts.bin"
    if not tree.exists():
        part = folder / "tree.part"
        for number in range(_FOLDERS):
            (part / f"{number:02x}").mkdir(parents=True, exist_ok=True)
        for number in range(len(corpus)):
            (part / f"{number % _FOLDERS:02x}" / f"{number}.txt").write_bytes(corpus.text(number))
        part.rename(tree)
    if not whole.exists():
        whole.write_bytes(corpus.data)
    version = subprocess.run([rg, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    found: dict[str, Any] = {"version": version}
    for kind, some in asked.items():
        few = [one for one in some if len(one.pieces) == 1][:_FEW]
        found[kind] = {
            "files": told([_seconds(_command(rg, kind, one, "-l", tree)) for one in few for _ in range(2)][1::2]),
            "one file": told([_seconds(_command(rg, kind, one, "-c", whole)) for one in few for _ in range(2)][1::2]),
        }
    return found


def _command(rg: str, kind: str, one: Asked, what: str, place: Path) -> list[str]:
    how = {"keyword": ["-S", "-w", "-F"], "regex": ["-S"]}.get(kind, ["-S", "-F"])
    return [rg, "-j1", "--no-ignore", "--no-config", "-a", *how, what, "-e", one.pieces[0], str(place)]


def _seconds(command: Sequence[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - start


def sqlite(corpus: Corpus, asked: dict[str, list[Asked]], folder: Path) -> dict[str, Any]:
    texts, queries = folder / "texts.parquet", folder / "queries.json"
    if not texts.exists():
        schema = pa.schema([("content", pa.string())])
        with pq.ParquetWriter(texts, schema, compression="zstd") as writer:
            for start in range(0, len(corpus), 5000):
                some = [corpus.text(number).decode() for number in range(start, min(start + 5000, len(corpus)))]
                writer.write_table(pa.table({"content": some}, schema=schema))
    found: dict[str, Any] = {}
    for tokenizer, kinds in _TOKENIZERS.items():
        queries.write_text(json.dumps({kind: [one.pieces for one in asked[kind]] for kind in kinds}))
        script = str(Path(__file__).parent / "peers" / "ask_sqlite.py")
        answer = watched.run([sys.executable, script, str(texts), str(queries), str(folder), tokenizer], limit=7200)
        for kind, pairs in answer.pop("seconds", {}).items():
            answer[kind] = {
                "first ten": told([first for first, _ in pairs]),
                "count": told([count for _, count in pairs]),
            }
        found[tokenizer] = answer
        print(tokenizer, json.dumps(answer), file=sys.stderr, flush=True)
    return found
