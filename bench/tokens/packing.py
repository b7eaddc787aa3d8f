"""Rows of both methods: what they waste and cut, and how fast they are made."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starloom.kernels.start import warm_step
from starloom.tokens.packed import Packed
from starloom.tokens.packing import METHODS, packing_of

SEQUENCES = (2048, 4096, 16_384)


def rows(packed: Path) -> dict[str, Any]:
    """Of the first stream: by length of the rows and method, the counts, and seconds of CPU of packing and counting."""
    warm_step("rows")
    folder = Packed.open(packed)
    stream = folder.stream(folder.sources[0], 0)
    found: dict[str, Any] = {}
    assert len(stream.borders)
    for sequence in SEQUENCES:
        for method in METHODS:
            start = time.process_time()
            made = packing_of(stream, method, sequence)
            middle = time.process_time()
            counts = asdict(made.counts)
            seconds = [middle - start, time.process_time() - middle]
            found[f"{sequence:,} {method}"] = counts | {"sequence": sequence, "seconds": seconds}
    about = {"tokens": stream.tokens, "documents": stream.documents, "files": len(stream.borders) + 1}
    return about | {"rows": found}


def table(one: dict[str, Any]) -> str:
    lines = [
        f"{one['tokens']:,} tokens, {one['documents']:,} repositories, {one['files']:,} files. Cut: not whole in a "
        "row. Context: tokens of its own document, or file, that a token sees in its row, itself one of them (mean).\n",
        "| tokens of a row, method | rows | padding | lost tokens | repositories cut | files cut | context "
        "| of its file | s of CPU | to count |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in one["rows"].items():
        share = row["padding"] / (row["rows"] * row["sequence"])
        made, counted = row["seconds"]
        lines.append(
            f"| {name} | {row['rows']:,} | {share:.2%} | {row['lost']:,} | {row['cut_documents']:,} "
            f"| **{row['cut_files']:,}** | {row['context']:,.0f} | {row['file_context']:,.0f} "
            f"| {made:.3f} | {counted:.3f} |"
        )
    return "\n".join(lines)
