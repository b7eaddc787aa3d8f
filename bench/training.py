"""Training and generation beside transformers, in one run: time, memory, and that both compute the same.

    python bench/training.py [--only step,window,generation] [--repetitions 9] [--date DATE]

`step`: a training step at 28 million parameters. `window`: attention over 16,384 tokens. `generation`: answers,
batches, prefixes that are known, prompt lookup. Sides take turns in one process of one thread and are measured in CPU
time, so that a shared machine disturbs both alike; read figures as ratios. Sections that are not run anew stay in
bench/results/training.json. Layers of the published widths: bench/training/full_width.py. On a GPU:
bench/training/h200.sh.
"""

import argparse
import datetime
from pathlib import Path
from typing import Any

from running import sections

from training import generation, step, window

SECTIONS: sections.Sections = {"step": step.table, "window": window.table, "generation": generation.table}


class Bench:
    def __init__(self, given: argparse.Namespace, _folder: Path) -> None:
        self.repetitions: int = given.repetitions

    def step(self) -> dict[str, Any]:
        return step.measure(self.repetitions)

    def window(self) -> dict[str, Any]:
        return window.measure(max(1, self.repetitions // 3))

    def generation(self) -> dict[str, Any]:
        return generation.measure(self.repetitions)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections")
    parser.add_argument("--repetitions", type=int, default=9, help="turns of each side; attention has a third of them")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    parser.set_defaults(source=None, folder=None)
    sections.run("training", parser.parse_args(), Bench, SECTIONS)


if __name__ == "__main__":
    main()
