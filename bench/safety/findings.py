"""What detectors find, as tables (row, start, end, kind, rule): ours, in this process, and the peers', in theirs."""

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from dedup import watched
from safety.corpus import File

PEERS = Path(__file__).parent / "peers"
OURS, DETECT_SECRETS, BIGCODE, CREDSWEEPER = "Starloom", "detect-secrets", "BigCode's script", "CredSweeper"


class Item(NamedTuple):
    """Characters of file `row`."""

    row: int
    start: int
    end: int
    kind: str
    rule: str


@dataclasses.dataclass(frozen=True)
class Peers:
    """Where they are."""

    python: str
    bigcode: str | None  # the checkout of bigcode-dataset

    def commands(self) -> dict[str, list[str]]:
        found = {
            DETECT_SECRETS: [self.python, str(PEERS / "ask_detect_secrets.py")],
            CREDSWEEPER: [self.python, str(PEERS / "ask_credsweeper.py")],
        }
        if self.bigcode:
            found[BIGCODE] = [self.python, str(PEERS / "ask_bigcode.py")]
        return found


def write_files(files: Sequence[tuple[str, str]], path: Path) -> None:
    """(name, content) as peers are given them."""
    names, contents = zip(*files, strict=True)
    pq.write_table(pa.table({"name": list(names), "content": list(contents)}), path, compression="zstd")


def ask(peers: Peers, name: str, files: Path, target: Path, limit: float) -> dict[str, Any]:
    """What the peer says of itself; its findings are then in `target`."""
    command = [*peers.commands()[name], str(files), str(target)]
    if name == BIGCODE:
        command.append(str(Path(str(peers.bigcode)) / "pii"))
    one_core = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return watched.run(command, one_core, limit)


def read(path: Path) -> list[Item]:
    columns = (column.to_pylist() for column in pq.read_table(path).columns)
    return [Item(*one) for one in zip(*columns, strict=True)]


def ours(texts: Sequence[str]) -> tuple[list[Item], float]:
    """Findings, and the seconds of CPU: all detectors, kernels loaded before, texts in memory."""
    from starloom.kernels.text import text_buffers
    from starloom.privacy.find import find

    offsets, data = text_buffers(pa.array(["AKIA"], pa.large_string()))
    find(["AKIA"], offsets, data)
    offsets, data = text_buffers(pa.array(list(texts), pa.large_string()))
    before = time.process_time()
    found = find(texts, offsets, data)
    spent = time.process_time() - before
    return [
        Item(row, one.start, one.end, one.kind, one.detector) for row, some in enumerate(found) for one in some
    ], spent


def as_files(files: Sequence[File]) -> list[tuple[str, str]]:
    return [(one.name or "file.txt", one.content) for one in files]
