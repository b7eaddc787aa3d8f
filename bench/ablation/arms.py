"""The data of the ablation: which repositories are held out, both arms' training text, and both held-out texts.

One workspace is listed, read, measured and paired once; each of the four datasets is a copy of it (hard links) that
differs in its recipe alone.
"""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow.parquet as pq

from starloom.kernels.random import keyed_uint64, keyed_uint64s
from starloom.the_stack import tables

STARLOOM: Final = [sys.executable, "-c", "from starloom.commands import main; main()"]
ARMS: Final = ("curated", "uncurated")
TEXTS: Final = ("raw", "curated")
FLOOR: Final = 0.5  # Jaccard similarity from which a held-out file resembles a training file
_HELD_OUT_PART: Final = 4  # one repository in so many
_RULES: Final = {
    "curated": 'title = "curated: the default recipe"\nextends = "small"\n',
    "uncurated": 'title = "uncurated: every text, each distinct content once"\n\n[list]\nmax_bytes = 1048576\n',
}
_DECIDE: Final = {
    "curated": "[decide]\nheld_out = 0.0\n",
    "uncurated": "[decide]\nheld_out = 0.0\nnear_duplicates = 0.0\n",
}


@dataclass(frozen=True)
class Text:
    """A held-out file, or its beginning."""

    repo_name: str
    path: str
    language: str
    content: str
    redactions: tuple[dict[str, Any], ...]

    @property
    def bytes(self) -> int:
        return len(self.content.encode())


def starloom(root: Path, *arguments: str) -> dict[str, Any]:
    """One command on a workspace; what it prints as JSON."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*STARLOOM, *arguments, "-w", str(root), "--json"], env=environment, stdout=subprocess.PIPE, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def base(folder: Path, sources: list[str], workers: int) -> Path:
    """A workspace with everything that `sources` hold, up to and with the pairs; made where it is not there."""
    root = folder / "base"
    if not (root / "starloom.toml").exists():
        root.mkdir(parents=True, exist_ok=True)
        (root / "arm.toml").write_text(_recipe("uncurated", ""))
        froms = [one for source in sources for one in ("--from", source)]
        subprocess.run(
            [*STARLOOM, "init", ".", *froms, "--recipe", "arm.toml", "--rights", "owned"], check=True, cwd=root
        )
        with (root / "starloom.toml").open("a") as settings:
            settings.write(f"\n[engine]\nworkers = {workers}\n")
    starloom(root, "build", "pair")
    return root


def held_out(root: Path, seed: int) -> list[str]:
    """The quarter of the repositories whose names have the lowest keyed hash: no rule, and no content, has a say."""
    names = sorted(pq.read_table(tables.repositories(root), columns=["repo_name"]).column(0).to_pylist())
    drawn = keyed_uint64s(seed, "ablation held out", names)
    return sorted(name for _, name in sorted(zip(drawn.tolist(), names))[: len(names) // _HELD_OUT_PART])


def dataset(folder: Path, name: str, rules: str, held: list[str], *, of_held_out: bool) -> Path:
    """The workspace NAME with a dataset, all in its train split: of the repositories in `held`, or of all others."""
    root = folder / name
    if not (root / tables.DATASET).exists():
        if not root.exists():
            subprocess.run(["cp", "-al", str(folder / "base"), str(root)], check=True)
            (root / ".starloom" / "lock").unlink()  # a hard link: the four would lock one another out
        names = ", ".join(f"'{one}'" for one in held)
        (root / "arm.toml").unlink(missing_ok=True)  # a hard link: to be written anew, not into
        (root / "arm.toml").write_text(_recipe(rules, f"repo_name {'NOT IN' if of_held_out else 'IN'} ({names})"))
        starloom(root, "build")
    return root


def _recipe(rules: str, drop: str) -> str:
    split = f'\n[[rules]]\nname = "split"\ndrop = "{drop}"\nsource = "the ablation\'s held-out repositories"\n'
    return f"{_RULES[rules]}\n[pair]\nfloor = {FLOOR}\n\n{_DECIDE[rules]}{split if drop else ''}"


def facts(root: Path) -> dict[str, int]:
    """Of a workspace's training text: repositories, files, bytes; `packed`, the tokens that it came to."""
    rows = pq.read_table(tables.dataset(root, "files", "train"), columns=["repo_name", "length_bytes"])
    packed = json.loads((root / "tokens" / "manifest.json").read_text())["facts"]["tokens"]
    return {
        "repositories": len(set(rows.column("repo_name").to_pylist())),
        "files": len(rows),
        "bytes": sum(rows.column("length_bytes").to_pylist()),
        "packed": packed,
    }


def resembling(folder: Path) -> set[str]:
    """The contents of the held-out texts that resemble a file that an arm trains on: of the same token stream, or a
    pair of at least FLOOR, or one that was too common to be verified."""
    root = folder / "base"
    of_content = dict(zip(*_columns(tables.streams(root), "content_id", "stream_id")))
    trained = {of_content.get(one, one) for arm in ARMS for one in _contents(folder / f"arm-{arm}")}
    near = set(trained)
    for left, right in zip(*_columns(tables.pairs(root), "left", "right")):
        if left in trained:
            near.add(right)
        if right in trained:
            near.add(left)
    texts = {one for text in TEXTS for one in _contents(folder / f"text-{text}")}
    return {one for one in texts if of_content.get(one, one) in near}


def _contents(root: Path) -> list[str]:
    return _columns(tables.dataset(root, "files", "train"), "content_id")[0]


def _columns(paths: list[Path], *names: str) -> list[list[str]]:
    table = pq.read_table(paths, columns=list(names))
    return [table.column(name).to_pylist() for name in names]


def sample(root: Path, refused: set[str], seed: int, *, repository_bytes: int, file_bytes: int) -> list[Text]:
    """Of each repository files in an order drawn by `seed`, each up to `file_bytes` of whole lines, until
    `repository_bytes` are full: so that no large repository, and no large file, decides."""
    columns = ["repo_name", "path", "content_id", "language", "content", "redactions"]
    order: dict[str, list[tuple[int, int, int]]] = {}
    paths = tables.dataset(root, "files", "train")
    for part, path in enumerate(paths):
        rows = pq.read_table(path, columns=columns[:3]).to_pylist()
        for row, one in enumerate(rows):
            if one["content_id"] not in refused:
                key = keyed_uint64(seed, "ablation sample", f"{one['repo_name']}\0{one['path']}")
                order.setdefault(one["repo_name"], []).append((key, part, row))
    tables_ = [pq.read_table(path, columns=columns) for path in paths]
    found = []
    for _, ranked in sorted(order.items()):
        left = repository_bytes
        for _, part, row in sorted(ranked):
            one = tables_[part].slice(row, 1).to_pylist()[0]
            content = _cut(one["content"], min(file_bytes, left))
            if content:
                noted = tuple(r for r in one["redactions"] or () if r["end"] <= len(content))
                found.append(Text(one["repo_name"], one["path"], one["language"] or "", content, noted))
                left -= found[-1].bytes
    return found


def _cut(content: str, most: int) -> str:
    """As many whole lines of the beginning as `most` bytes hold; "" where that is not one."""
    encoded = content.encode()
    return content if len(encoded) <= most else encoded[: encoded.rfind(b"\n", 0, max(most, 0)) + 1].decode()
