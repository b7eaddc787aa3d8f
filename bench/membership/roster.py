"""Who else is asked: infini-gram, and Data Portraits' rule with rbloom, in a Python that has them."""

import json
import random
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from running.times import told
from running.workspace import Corpus

from dedup import watched
from membership import asked, planted

_PEERS = Path(__file__).parent / "peers"
_PORTRAITS = 200_000_000  # bytes of text: its pieces are objects of Python
_INFINI_GRAM = 30_000_000  # its index takes four times as much, and half a minute for each ten million
_OTHERS = 5_000_000
_EACH = 50  # planted of each length and change
_QUESTIONS = 30


def ask(corpus: Corpus, others: Sequence[tuple[str, str]], python: str, folder: Path, seed: int) -> dict[str, Any]:
    found = {
        "Data Portraits": portraits(corpus, others, python, folder, seed),
        "infini-gram": infini_gram(corpus, others, python, folder, seed),
    }
    print(json.dumps(found), file=sys.stderr, flush=True)
    return found


def portraits(
    corpus: Corpus, others: Sequence[tuple[str, str]], python: str, folder: Path, seed: int
) -> dict[str, Any]:
    part = _part(corpus, _PORTRAITS)
    texts = _write([part.text(number).decode() for number in range(len(part))], folder / "portraits.parquet")
    some, size = [], 0
    for _, text in others:
        some.append(text)
        size += len(text)
        if size > _OTHERS:
            break
    chance = random.Random(f"portraits {seed}")
    pieces = [
        planted.plant(part, some, n, how, chance)
        for n in planted.LENGTHS
        for how in planted.CHANGES
        for _ in range(_EACH)
    ]
    questions = folder / "planted.json"
    questions.write_text(json.dumps([(one.text, one.start, one.end, str(one.length)) for one in pieces]))
    command = [python, str(_PEERS / "ask_portraits.py"), str(texts), str(_write(some, folder / "others.parquet"))]
    return watched.run([*command, str(questions)], limit=3600)


def infini_gram(
    corpus: Corpus, others: Sequence[tuple[str, str]], python: str, folder: Path, seed: int
) -> dict[str, Any]:
    part = _part(corpus, _INFINI_GRAM)
    texts = _write([part.text(number).decode() for number in range(len(part))], folder / "infini-gram.parquet")
    chance = random.Random(f"infini-gram {seed}")
    questions = folder / "questions.json"
    some = [text for _, text in others]
    questions.write_text(json.dumps([asked.generation(part, some, chance).text for _ in range(_QUESTIONS)]))
    answer = watched.run(
        [python, str(_PEERS / "ask_infini_gram.py"), str(texts), str(questions), str(folder)], limit=3600
    )
    return answer | {name: told(seconds) for name, seconds in answer.pop("seconds", {}).items()}


def _part(corpus: Corpus, most: int) -> Corpus:
    """Files drawn by chance, up to `most` bytes."""
    order = list(range(len(corpus)))
    random.Random("part").shuffle(order)
    chosen, size = [], 0
    for number in order:
        chosen.append(number)
        size += int(corpus.offsets[number + 1] - corpus.offsets[number])
        if size >= most:
            break
    return corpus.some(chosen)


def _write(texts: list[str], path: Path) -> Path:
    pq.write_table(pa.table({"content": texts}), path, compression="zstd")
    return path
