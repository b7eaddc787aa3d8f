"""Other people's code for the filters of The Stack v2, and how it is asked: bench/measure.py calls this.

A peer is a script in bench/measure/peers, run by a Python that has what the script says it needs. It is given a Parquet
file of files (content, bytes, file_name, language), and prints one JSON object with its version and CPU seconds.
"""

import argparse
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

PEERS = Path(__file__).parent / "measure" / "peers"
DATATROVE = "the same filters on datatrove"


def options(parser: argparse.ArgumentParser) -> None:
    """One for each peer."""
    parser.add_argument("--datatrove", metavar="PYTHON")
    parser.add_argument("--code-quality", metavar="PYTHON")
    parser.add_argument("--opencoder", nargs=2, metavar=("PYTHON", "CHECKOUT"))


def peers(arguments: argparse.Namespace) -> dict[str, list[str]]:
    """Commands by what they are called in the results; the files' path comes after the script."""
    found: dict[str, list[str]] = {}
    if arguments.datatrove:
        found[DATATROVE] = [arguments.datatrove, "ask_datatrove.py"]
    if arguments.code_quality:
        found["data-prep-kit code_quality"] = [arguments.code_quality, "ask_code_quality.py"]
        found["the same without its tokenizer"] = [arguments.code_quality, "ask_code_quality.py", "--without-tokenizer"]
    if arguments.opencoder:
        found["OpenCoder's opc_data_filtering"] = [arguments.opencoder[0], "ask_opencoder.py", arguments.opencoder[1]]
    return found


def ask(command: list[str], files: Path) -> dict[str, Any]:
    """What the peer says of `files`; ends the run where it fails."""
    python, script, *rest = command
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [python, str(PEERS / script), str(files), *rest],
        check=False,
        capture_output=True,
        text=True,
        env=environment | {"TOKENIZERS_PARALLELISM": "false", "OMP_NUM_THREADS": "1"},
    )
    if done.returncode:
        raise SystemExit(f"{script} failed:\n{done.stderr[-2000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def write_files(texts: pa.ChunkedArray, names: list[str], languages: list[str | None], path: Path) -> None:
    """What peers are given."""
    table = {
        "content": texts,
        "bytes": pc.binary_length(texts),
        "file_name": names,
        "language": pa.array(languages, pa.string()),
    }
    pq.write_table(pa.table(table), path)


def lines(
    answers: dict[str, Any], megabytes: float, same: float, every: float, rules: dict[str, list[int]]
) -> list[str]:
    """The tables: speed beside ours, whose signals of the same filters take `same` seconds and all of them `every`; and
    which files each filter drops, with ours in `rules`."""
    found = [
        "",
        "| | version | MB/s | our signals of the paper's filters, times faster | all our signals |",
        "|---|---|---:|---:|---:|",
    ]
    for name, one in answers.items():
        seconds = one["seconds"]
        found.append(
            f"| {name} | {one['version']} | {megabytes / seconds:.2f} | {seconds / same:.0f} | {seconds / every:.1f} |"
        )
    if DATATROVE in answers:
        theirs = answers[DATATROVE]["matched"]
        found += ["", "Files that each of the same filters drops:", ""]
        found += ["| rule | ours | on datatrove | both |", "|---|---:|---:|---:|"]
        for name in dict.fromkeys((*rules, *theirs)):
            left, right = set(rules.get(name, ())), set(theirs.get(name, ()))
            found.append(f"| {name} | {len(left)} | {len(right)} | {len(left & right)} |")
    return found
