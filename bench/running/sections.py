"""A bench in sections: its options, and each section run, timed and kept beside those of earlier runs."""

import argparse
import datetime
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from running.machine import kept_or_temporary, machine

_RESULTS = Path(__file__).parents[1] / "results"


Sections = Mapping[str, Callable[[dict[str, Any]], str]]  # how what each found is written


def options(description: str | None, sections: Iterable[str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--from", dest="source", action="append", help="default: corpus:standard and corpus:large")
    parser.add_argument("--workspace", type=Path, help="with a dataset")
    parser.add_argument("--folder", type=Path, help="for what is made, to be used again; default: a temporary one")
    parser.add_argument("--only", default=",".join(sections), help="sections")
    parser.add_argument("--workers", type=int, default=2, help="for making the workspace")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    return parser


def run(
    name: str,
    given: argparse.Namespace,
    bench: Callable[[argparse.Namespace, Path], Any],
    sections: Sections,
) -> None:
    """Runs the sections asked for, methods of what `bench` makes, and writes results/NAME.{json,md} after each."""
    given.source = given.source or ["corpus:standard", "corpus:large"]
    known = _RESULTS / f"{name}.json"
    found: dict[str, Any] = {}
    with kept_or_temporary(given.folder) as folder:
        made = bench(given, folder)
        for section in given.only.split(","):
            if section not in sections:
                raise SystemExit(f"no section {section!r}; one of: {', '.join(sections)}")
            load, start = os.getloadavg()[0], time.monotonic()
            answer = getattr(made, section.replace(" ", "_"))()
            found = json.loads(known.read_text()) if known.exists() else {}  # another run may have written
            found["machine"] = machine()
            found[section] = {"date": given.date, "load before": load, "wall": time.monotonic() - start} | answer
            known.write_text(json.dumps(found, indent=1) + "\n")
            known.with_suffix(".md").write_text(report(name, found, sections))
    print(report(name, found, sections))


def report(name: str, found: dict[str, Any], sections: Sections) -> str:
    parts = [
        f"# {name.capitalize()}\n",
        f"`python bench/{name}.py`; {found['machine']}. The machine is shared: load before each section in brackets.\n",
    ]
    for section, written in sections.items():
        if section in found:
            one = found[section]
            parts += [f"## {section.capitalize()} ({one['date']}, load {one['load before']:.1f})\n", written(one), ""]
    return "\n".join(parts)
