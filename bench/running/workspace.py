"""The code that is searched: a workspace of `corpus:` sets, filtered, not near-deduplicated; its files in memory."""

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from starloom.the_stack import tables

STARLOOM = [sys.executable, "-c", "from starloom.commands import main; main()"]
SPLITS = ("train", "held_out")
_RECIPE = """\
title = "code for benches: The Stack v2's filters without near-deduplication"
extends = "small"

[decide]
near_duplicates = 0.0
held_out = 0.05
"""


def ready(folder: Path, sources: list[str], workers: int) -> Path:
    """A workspace with a dataset of all that `sources` hold, made where it is not there yet. `owned`: so that nothing
    goes for its licence; the dataset stays on this machine."""
    if not (folder / tables.DATASET).exists():
        if not (folder / "starloom.toml").exists():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "bench.toml").write_text(_RECIPE)
            froms = [one for source in sources for one in ("--from", source)]
            recipe = ["--recipe", "bench.toml", "--rights", "owned"]
            subprocess.run([*STARLOOM, "init", ".", *froms, *recipe], check=True, cwd=folder)
            with (folder / "starloom.toml").open("a") as settings:
                settings.write(f"\n[engine]\nworkers = {workers}\n")
        subprocess.run([*STARLOOM, "build", "-w", str(folder)], check=True)
    return folder


@dataclass(frozen=True)
class File:
    """A row of the dataset."""

    repo: str
    path: str
    language: str
    license_type: str
    split: str


class Corpus:
    """Every file of a dataset: `data` their texts in UTF-8, one after the other, at `offsets`."""

    def __init__(self, files: list[File], texts: list[bytes]) -> None:
        self.files = files
        self.offsets = np.cumsum([0, *map(len, texts)])
        self.data = b"".join(texts)

    @classmethod
    def read(cls, workspace: Path) -> "Corpus":
        columns = ["repo_name", "path", "language", "license_type", "content"]
        files: list[File] = []
        texts: list[bytes] = []
        for split in SPLITS:
            for path in tables.dataset(workspace, "files", split):
                for batch in pq.ParquetFile(path).iter_batches(2000, columns=columns):
                    for repo, name, language, license_type, content in zip(*(one.to_pylist() for one in batch.columns)):
                        files.append(File(repo, name, language or "", license_type or "", split))
                        texts.append((content or "").encode())
        return cls(files, texts)

    def some(self, numbers: Sequence[int]) -> "Corpus":
        """These files of it."""
        return Corpus([self.files[number] for number in numbers], [self.text(number) for number in numbers])

    def __len__(self) -> int:
        return len(self.files)

    def text(self, number: int) -> bytes:
        return self.data[self.offsets[number] : self.offsets[number + 1]]

    @cached_property
    def lower(self) -> bytes:
        """`data` with the capitals of ASCII as small letters."""
        return self.data.lower()

    def holding(self, needle: bytes) -> list[int]:
        """Files in which `needle`, of small letters, stands in any case: one scan over everything."""
        found = []
        at = self.lower.find(needle)
        while at >= 0:
            number = int(np.searchsorted(self.offsets, at, side="right")) - 1
            if at + len(needle) <= self.offsets[number + 1]:
                found.append(number)
                at = self.lower.find(needle, int(self.offsets[number + 1]))
            else:  # from one file into the next
                at = self.lower.find(needle, at + 1)
        return found
