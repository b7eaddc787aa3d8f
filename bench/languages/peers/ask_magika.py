"""Magika's answers, which look at contents alone: python ask_magika.py LIST, a path a line. Needs `magika`."""

import importlib.metadata
import json
import sys
import time
from pathlib import Path

from magika import Magika

paths = Path(sys.argv[1]).read_text().splitlines()
detector = Magika()
detector.identify_path(Path(paths[0]))
start = time.process_time()
answers = [str(detector.identify_path(Path(path)).output.label) for path in paths]
seconds = time.process_time() - start
known = sorted(str(label) for label in detector.get_output_content_types())
print(
    json.dumps(
        {"version": importlib.metadata.version("magika"), "seconds": seconds, "answers": answers, "known": known}
    )
)
