"""Batches from local disk: Starloom's loader beside litdata's, Megatron's, and a bare map of the file."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from dedup import watched
from starloom.the_stack import tables
from starloom.tokens.packed import Packed

_PEERS = Path(__file__).parent / "peers"
_BATCHES = 1500  # 49 million tokens
_DATATROVE = 0.1  # of the sample: it encodes with Hugging Face's library


def speeds(packed: Path, folder: Path, peers: str) -> dict[str, Any]:
    """By loader. `peers`: a Python that has litdata and megatron-core; without it Starloom and the map alone."""
    own, count = sys.executable, str(_BATCHES)
    commands = {
        "Starloom": [own, "ask_loader.py", str(packed), count, "0"],
        "Starloom, reading ahead": [own, "ask_loader.py", str(packed), count, "1"],
        "Starloom, concatenate": [own, "ask_loader.py", str(packed), count, "0", "concatenate"],
        "Starloom, ten sources": [own, "ask_loader.py", str(packed), count, "0", "best-fit", "10"],
        "Starloom, 64 rows stay together": [own, "ask_loader.py", str(packed), count, "0", "best-fit", "1", "64"],
        "a map of the file": [own, "ask_memmap.py", str(_payload(packed)), count],
    }
    if peers:
        prefix, chunks = _exported(packed, folder)
        commands |= {
            "litdata": [peers, "ask_litdata.py", str(chunks), count],
            "Megatron": [peers, "ask_megatron.py", str(prefix), count],
            "Megatron, positions by document": [peers, "ask_megatron.py", str(prefix), count, "documents"],
        }
    found = {}
    for name, (python, script, *rest) in commands.items():
        found[name] = watched.run([python, str(_PEERS / script), *rest], {"OMP_NUM_THREADS": "1"}, limit=900)
        print(name, json.dumps(found[name]), file=sys.stderr, flush=True)
    return {"loaders": found, "tokens": Packed.open(packed).tokens}


def datatrove(workspace: Path, tokenizer: Path, folder: Path, megabytes: float, peers: str) -> dict[str, Any]:
    """Its step from Parquet to token files, on the first files of the train split."""
    sample = folder / "datatrove" / "sample.parquet"
    shutil.rmtree(sample.parent, ignore_errors=True)
    sample.parent.mkdir(parents=True)
    size = 0
    writer = None
    for path in tables.dataset(workspace, "files", "train"):
        for batch in pq.ParquetFile(path).iter_batches(256, columns=["content_id", "content"]):
            if size >= megabytes * _DATATROVE * 1e6:
                break
            writer = writer or pq.ParquetWriter(sample, batch.schema)
            writer.write_batch(batch)
            size += sum(len(one.encode()) for one in batch.column(1).to_pylist())
    assert writer
    writer.close()
    script = _PEERS / "ask_datatrove.py"
    answer = watched.run([peers, str(script), str(sample), str(tokenizer / "tokenizer.json"), str(sample.parent)])
    print("datatrove", json.dumps(answer), file=sys.stderr, flush=True)
    return {"MB": size / 1e6} | answer


def _payload(packed: Path) -> Path:
    """The first shard of the first stream."""
    return min(packed.glob("*/tokens-00000.bin"))


def _exported(packed: Path, folder: Path) -> tuple[Path, Path]:
    prefix, chunks = folder / "exported", folder / "chunks"
    for path in (prefix.with_suffix(".bin"), prefix.with_suffix(".idx")):
        path.unlink(missing_ok=True)
    shutil.rmtree(chunks, ignore_errors=True)
    source = Packed.open(packed).sources[0]
    for format_, target in (("megatron", prefix), ("litdata", chunks)):
        command = [str(Path(sys.executable).with_name("starloom")), "tokens", "export", format_, str(target)]
        subprocess.run([*command, "--source", source, "--tokens", str(packed)], check=True, stdout=subprocess.DEVNULL)
    return prefix, chunks


def table(one: dict[str, Any]) -> str:
    lines = [
        f"{one['tokens']:,} tokens, rows of 4,096, batches of 8 as int64, from files that the system has in memory; a "
        "process each, no workers. Alone: a batch of rows drawn at random, milliseconds of the clock. Megatron's, "
        "litdata's and the map's rows are those of `concatenate`; only Starloom's say which document a token is of.\n",
        "| loader | version | M tokens/s of CPU | of the clock | alone, median | 99 % | s of CPU until ready | load |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in one["loaders"].items():
        if "problem" in row:
            lines.append(f"| {name} | {row['problem'][-80:]} | | | | | | |")
            continue
        median, most = row["alone"]
        lines.append(
            f"| {name} | {row['version']} | **{row['M tokens/s of CPU']:.0f}** | {row['M tokens/s']:.0f} "
            f"| {median:.2f} | {most:.1f} | {row['ready']:.2f} | {row['load']:.1f} |"
        )
    return "\n".join(lines)


def datatrove_table(one: dict[str, Any]) -> str:
    if "problem" in one:
        return f"datatrove: {one['problem'][-200:]}"
    return (
        f"{one['version']}, ParquetReader and DocumentTokenizer, one process and thread: {one['MB']:.1f} MB of files, "
        f"{one['tokens']:,} tokens, in {one['cpu']:.1f} s of CPU ({one['wall']:.1f} s): "
        f"**{one['MB'] / one['cpu']:.2f} MB/s** of one core, without templates, fill-in-the-middle or provenance. "
        "Beside it: `pack`."
    )
