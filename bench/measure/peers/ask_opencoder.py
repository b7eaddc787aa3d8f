"""OpenCoder's filters: python ask_opencoder.py FILES.parquet CHECKOUT, the folder of a clone of opc_data_filtering.
Needs its requirements and `pyarrow`.

Signals and thresholds as its example notebook calls them. Its fastText model of natural languages is not in the
repository, so every text is taken for English and that prediction is not in the time. `processed` counts the bytes of
files that it looks into at all: names that its tables do not know are left unread.
"""

import contextlib
import importlib.metadata
import io
import json
import sys
import time
from pathlib import Path, PurePosixPath

import pyarrow.parquet as pq

sys.path.insert(0, sys.argv[2])

from pipeline.compute_filtering import CodeFilter
from pipeline.compute_quality_signals import ComputeCodeQualitySignal
from utils.preprocessing import get_doc_type, get_program_lang


def commit():
    head = Path(sys.argv[2], ".git", "HEAD")
    if not head.exists():
        return Path(sys.argv[2]).name
    reference = head.read_text().split()[-1]
    place = head.parent / reference
    return (place.read_text() if place.exists() else reference)[:12].strip()


def main():
    rows = pq.read_table(sys.argv[1]).to_pylist()
    signals, judge = ComputeCodeQualitySignal(), CodeFilter()
    processed = kept = 0
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        for row in rows:
            name = PurePosixPath(row["file_name"])
            program = get_program_lang(name.stem, name.suffix[1:])
            kind = get_doc_type(program)
            found = json.loads(
                signals.evaluate(
                    text=row["content"],
                    filename=name.stem,
                    lang="en",
                    ext=name.suffix[1:],
                    file_size_in_byte=row["bytes"],
                    program_lang=program,
                    doc_type=kind,
                )
            )
            verdict = json.loads(judge.evaluate(kind, "en", program, found.get("quality_signal", "")))
            kept += verdict["effective"] == "1"
            processed += row["bytes"] if kind in ("code", "data", "text") else 0
    seconds = time.process_time() - started
    problems = sum(line.startswith("[WARN]") for line in said.getvalue().splitlines())
    version = f"commit {commit()}, pygments {importlib.metadata.version('pygments')}"
    print(
        json.dumps(
            {"version": version, "seconds": seconds, "kept": kept, "processed": processed, "failed signals": problems}
        )
    )


main()
