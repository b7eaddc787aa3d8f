"""What is found that is private, beside other detectors; what redaction breaks; whether benchmarks are found.

    python bench/safety.py --workspace FOLDER --folder FOLDER --peers PYTHON [--bigcode CHECKOUT]
        [--benchmarks FOLDER] [--only planted,ordinary] [--label]

Input: the contents of a built workspace of real code. `planted`: secrets, people and decoys that safety/made_*.py make
from published formats, in real files, recall by kind. `ordinary`: findings in the files as they are, drawn and read one
by one (safety/guideline.md); `--label` shows those that have no label yet. `speed`, `redaction`, `contamination` as
their modules say. Peers run by themselves in a Python that has `detect-secrets`, `credsweeper`, `hyperscan`,
`gibberish-detector`, `regex` and `pyarrow`; BigCode's script needs a checkout of bigcode-dataset. Sections that are not
run anew stay in bench/results/safety.json, each with its date. The machine is shared: read speeds as ratios.
"""

import argparse
import datetime
import json
import platform
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from safety import contamination, corpus, findings, labels, places, planting, redaction, speed, tables
from safety.corpus import File
from safety.findings import OURS, Item
from safety.planting import Found

RESULTS = Path(__file__).parent / "results"
SECTIONS = ("planted", "ordinary", "speed", "redaction", "contamination")
DRAWN, LEAST = 400, 60  # of ours: in proportion to their kinds, but of each kind at least
FRESH, DRAWN_FRESH = 2, 500  # the last draw, after the detectors were frozen
DRAWN_PEERS = 150  # of each
_THIRD_SEED = 99
_LIMIT = 3600.0
_CLEAN = 60_000_000  # bytes that benchmarks are looked for in


class Bench:
    """Files, peers and a folder for what they exchange."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.folder = given.folder
        self.folder.mkdir(parents=True, exist_ok=True)
        self.peers = findings.Peers(given.peers, given.bigcode)
        real = self.folder / "real.parquet"
        if not real.exists():
            corpus.write(given.workspace, real, int(given.mb * 1e6))
        self.files = corpus.read(real)
        self.ordinary_files = corpus.some(self.files, int(given.ordinary_mb * 1e6), "ordinary")

    def ask(self, name: str, files: Path, again: bool) -> tuple[dict[str, Any], list[Item]]:
        """A peer's answer, kept in the folder until `again`."""
        target = files.with_name(f"{files.stem} {name}.parquet")
        told = target.with_suffix(".json")
        if again or not told.exists():
            told.write_text(json.dumps(findings.ask(self.peers, name, files, target, _LIMIT)))
        answer = json.loads(told.read_text())
        if "problem" in answer:
            raise SystemExit(f"{name}: {answer['problem']}")
        return answer, findings.read(target)

    def planted(self, before: dict[str, Any]) -> dict[str, Any]:
        """What was measured first in places that nobody had seen stays: since then they were."""
        seed = self.given.seed
        unseen = self._planted(seed, places.UNSEEN, "-unseen")
        return {
            "seen": self._planted(seed),
            "first": before.get("first", unseen),
            "unseen": unseen,
            "third": before.get("third") or self._planted(_THIRD_SEED, places.THIRD, "-third"),
        }

    def _planted(self, seed: int, elsewhere: places.Elsewhere | None = None, suffix: str = "") -> dict[str, Any]:
        plantings = planting.plant(self.files, self.given.each, seed, elsewhere)
        texts = [one.text for one in plantings]
        files = self.folder / f"planted-{seed}{suffix}.parquet"
        findings.write_files([(one.name or "file.txt", one.text) for one in plantings], files)
        items, _ = findings.ours(texts)
        found: dict[str, Any] = {
            "seed": seed,
            "files": len(plantings),
            "MB": sum(len(text.encode("utf-8", "replace")) for text in texts) / 1e6,
            "ours": planting.judge(plantings, _by_row(items, len(texts))),
            "all": {OURS: planting.judge(plantings, _by_row(items, len(texts)), judge_kind=False)},
        }
        for name in self.peers.commands():
            _, theirs = self.ask(name, files, self.given.again)
            found["all"][name] = planting.judge(plantings, _by_row(theirs, len(texts)), judge_kind=False)
        return found

    def ordinary(self, before: dict[str, Any]) -> dict[str, Any]:
        """What was labelled first stays: since then the detectors were mended where they were wrong."""
        found: dict[str, Any] = {"files": len(self.files), "MB": _size(self.files), "who": {}}
        found["part"] = {"files": len(self.ordinary_files), "MB": _size(self.ordinary_files)}
        for name, version, files, items, drawn in self._drawn(self.given.again):
            found["who"][name] = {
                "version": version,
                "a MB": len(items) / _size(files),
                **labels.precision(files, items, drawn),
            }
        found["first"] = before.get("first") or {
            kind: one["labels"] for kind, one in found["who"][OURS]["by kind"].items()
        }
        return found

    def _drawn(self, again: bool) -> Iterator[tuple[str, str, list[File], list[Item], list[Item]]]:
        """Who, its version, the files, its findings, those drawn: ours in all files; then secrets in a part of them."""
        given = self.folder / "ordinary.parquet"
        findings.write_files(findings.as_files(self.ordinary_files), given)
        items, _ = findings.ours([one.content for one in self.files])
        yield OURS, "this checkout", self.files, items, labels.draw(self.files, items, DRAWN, LEAST)
        left = labels.fresh(self.files, items, FRESH)
        drawn = labels.draw(self.files, left, DRAWN_FRESH, LEAST, FRESH)
        yield f"{OURS}, drawn afresh", "this checkout", self.files, left, drawn
        files = self.ordinary_files
        rows = {one.id: row for row, one in enumerate(files)}
        secrets = [
            one._replace(row=rows[self.files[one.row].id])
            for one in items
            if one.kind in ("KEY", "PASSWORD") and self.files[one.row].id in rows
        ]
        yield f"{OURS}, secrets", "this checkout", files, secrets, labels.draw(files, secrets, DRAWN_PEERS, 0)
        for name in self.peers.commands():
            answer, items = self.ask(name, given, again)
            yield name, answer["version"], files, items, labels.draw(files, items, DRAWN_PEERS, 0)

    def speed(self, _: dict[str, Any]) -> dict[str, Any]:
        given = self.folder / "speed.parquet"
        files = corpus.some(self.files, 20_000_000, "speed")
        findings.write_files(findings.as_files(files), given)
        found = speed.measure([one.content for one in files], given, self.peers, self.folder)
        for name in self.peers.commands():
            answer, _ = self.ask(name, given, self.given.again)
            found.setdefault("peers", {})[name] = {"MB/s": found["MB"] / answer["work"]} | answer
        return found

    def redaction(self, _: dict[str, Any]) -> dict[str, Any]:
        from starloom.privacy.find import find_in

        plantings = planting.plant(self.files, self.given.each, self.given.seed)
        ordinary = [(one.language, one.content, find_in(one.content)) for one in self.ordinary_files]
        return {
            "ordinary": redaction.still_parse([one for one in ordinary if one[2]]),
            "planted": redaction.still_parse([(one.language, one.text, find_in(one.text)) for one in plantings]),
        }

    def contamination(self, _: dict[str, Any]) -> dict[str, Any]:
        clean = corpus.some(self.files, _CLEAN, "clean")
        return contamination.measure(self.given.benchmarks, self.files, clean)

    def show_unlabelled(self) -> None:
        known = labels.read()
        for name, _, files, _, drawn in self._drawn(False):
            for one in drawn:
                key = labels.key_of(files, one)
                if key not in known:
                    known[key] = ""
                    file = files[one.row]
                    print(json.dumps(key), name, one.rule, file.name, file.language, labels.shown(file, one), sep=" | ")


def _size(files: Sequence[File]) -> float:
    return sum(len(one.content.encode("utf-8", "replace")) for one in files) / 1e6


def _by_row(items: list[Item], rows: int) -> list[list[Found]]:
    found: list[list[Found]] = [[] for _ in range(rows)]
    for one in items:
        found[one.row].append(Found(one.start, one.end, one.kind))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workspace", type=Path)
    parser.add_argument("--folder", type=Path, required=True, help="for inputs and answers, to be used again")
    parser.add_argument("--peers", required=True, metavar="PYTHON")
    parser.add_argument("--bigcode", metavar="CHECKOUT")
    parser.add_argument("--benchmarks", type=Path, help="humaneval, mbpp and multipl-e-humaneval, in a folder each")
    parser.add_argument("--only", default=",".join(SECTIONS), help="sections")
    parser.add_argument("--mb", type=float, default=500, help="real code, where there is so much")
    parser.add_argument("--ordinary-mb", type=float, default=60, help="of it, that peers look at")
    parser.add_argument("--each", type=int, default=planting.EACH, help="planted of each kind")
    parser.add_argument("--seed", type=int, default=planting.SEED, help="of what is planted")
    parser.add_argument("--again", action="store_true", help="ask peers again, whose answers are in --folder")
    parser.add_argument("--label", action="store_true", help="show drawn findings without a label, measure nothing")
    parser.add_argument("--date", default=datetime.date.today().isoformat(), help="written with the results")
    given = parser.parse_args()
    bench = Bench(given)
    if given.label:
        bench.show_unlabelled()
        return
    path = RESULTS / "safety.json"
    found = json.loads(path.read_text()) if path.exists() else {}
    found["machine"] = f"{platform.machine()}, Python {platform.python_version()}"
    for section in given.only.split(","):
        if section not in SECTIONS:
            raise SystemExit(f"no section {section!r}; one of: {', '.join(SECTIONS)}")
        if section == "contamination" and not given.benchmarks:
            continue
        found[section] = {"date": given.date} | getattr(bench, section)(found.get(section, {}))
        path.write_text(json.dumps(found, indent=1) + "\n")
        (RESULTS / "safety.md").write_text(tables.report(found))
    print(tables.report(found))


if __name__ == "__main__":
    main()
