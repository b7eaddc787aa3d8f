"""What bench/safety.py found, in Markdown."""

from collections.abc import Callable
from typing import Any

from safety.labels import MEANING

Found = dict[str, Any]
_GROUPS = {
    "provider": "providers' keys",
    "structure": "private keys, JWTs, URLs, headers",
    "generic": "values of secret names",
    "password": "passwords",
    "email": "e-mail",
    "ip": "IP addresses",
    "name": "names",
    "username": "user names",
}


def report(found: Found) -> str:
    lines = ["# What is private, and what is found of it", "", f"`python bench/safety.py`; {found['machine']}, shared."]
    for section, write in _WRITERS.items():
        if section in found:
            lines += ["", *write(found[section])]
    return "\n".join(lines) + "\n"


def _share(part: float, whole: float, digits: int = 3) -> str:
    return f"{part / whole:.{digits}f}" if whole else ""


def _planted(section: Found) -> list[str]:
    """The set that detectors were developed with, made anew with another seed; then the places nobody had seen, before
    and after they were looked at; then places written after the detectors were frozen."""
    lines = _one_planted(f"## Planted ({section['date']})", section["seen"])
    lines += ["", "The detectors were developed with these kinds, lines and names, under another seed."]
    lines += ["", *_one_planted("## Planted where no detector was told of", section["first"])]
    if section["unseen"] != section["first"]:
        title = "## The same, after what was missed there had been looked at"
        lines += ["", *_one_planted(title, section["unseen"])]
        lines += ["", "What was missed there first was mended in its causes, so the figures just above flatter."]
    title = "## Planted in a third set of places, written after the detectors were frozen"
    lines += ["", *_one_planted(title, section["third"])]
    lines += [
        "",
        "Nothing was mended after a look at what was missed here; between the writing of this set and its run only",
        "wrong findings in code outside the corpus were (names of classes, calls, constants). The kinds and decoys are",
        "those of the other sets. The lines and most names are new, but written by who had mended the detectors and",
        "knew them: a stranger's would be harder. Missed are forms that no detector reads: a tag with other attributes",
        "than the name's, `<value>` in a `<setting>`, a value before its name, `strcpy(name, …)`, the first value of a",
        'property in C#, `` ``name`` is ``value`` ``, a field list, folded YAML, "log in with NAME VALUE".',
    ]
    return lines


def _one_planted(title: str, section: Found) -> list[str]:
    ours, everyone = section["ours"], section["all"]
    kinds = {name: one for name, one in ours["by kind"].items() if one["group"] != "decoy"}
    decoys = ours["by group"]["decoy"]["planted"]
    lines = [
        title,
        "",
        f"{sum(one['planted'] for one in kinds.values()):,} secrets and personal data of {len(kinds)} kinds and "
        f"{decoys:,} decoys, seed {section['seed']}, in {section['files']:,} real files ({section['MB']:.1f} MB).",
        "Found: 80 % of the value is covered, by something no more than a quarter longer than what may go. Exact: the",
        "very span. Ours counts only under its kind; in the second table kinds do not matter.",
        "",
        "| | planted | found | recall | exact |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, words in _GROUPS.items():
        one = ours["by group"][name]
        lines.append(
            f"| {words} | {one['planted']:,} | {one['found']:,} | {_share(one['found'], one['planted'], 4)} "
            f"| {_share(one['exact'], one['planted'], 4)} |"
        )
    lines += [
        "",
        "Precision: of the findings in planted lines, those that overlap a planted value; a decoy is none.",
        "",
        "| | precision | wrong | decoys hit | " + " | ".join(_GROUPS.values()) + " |",
        "|---|---:|---:|---:|" + "---:|" * len(_GROUPS),
    ]
    for who, one in everyone.items():
        wrong = sum(one["wrong"].values())
        recalls = [
            f"{_share(told['found'], told['planted'], 2)} ({_share(told['touched'], told['planted'], 2)})"
            for told in (one["by group"][name] for name in _GROUPS)
        ]
        lines.append(
            f"| {who} | {_share(one['right'], one['right'] + wrong, 4)} | {wrong} "
            f"| {one['by group']['decoy']['found']} | " + " | ".join(recalls) + " |"
        )
    lines += ["", "In brackets: recall where it is enough that a finding touches the value.", ""]
    missed = [f"{name} {one['found']}/{one['planted']}" for name, one in kinds.items() if one["found"] < one["planted"]]
    lines.append(f"Kinds of which we miss some: {', '.join(missed) or 'none'}; of the others every one is found.")
    hit = [f"{name} {number}" for name, number in ours["wrong"].items() if number]
    lines.append(f"Wrong: {', '.join(hit) or 'nothing'}.")
    return lines


def _ordinary(section: Found) -> list[str]:
    lines = [
        f"## In ordinary code ({section['date']})",
        "",
        f"{section['files']:,} files of the corpus as they are, {section['MB']:.1f} MB; the others, and our",
        f"secrets beside them, in {section['part']['files']:,} of these, {section['part']['MB']:.1f} MB. Findings are",
        "drawn by a hash, at most one of a kind from a file, read in their place and labelled by safety/guideline.md:",
        "one label for a finding, whoever found it, by one reader. In brackets the 95 % interval. All: kinds weighed",
        "by the files that have any.",
        "",
        *(f"- {name}: {meaning}" for name, meaning in MEANING.items()),
        "",
        "| | version | a MB | kind | findings | drawn | " + " | ".join(MEANING) + " | precision | of the form |",
        "|---|---|---:|---|---:|---:|" + "---:|" * len(MEANING) + "---:|---:|",
    ]
    for who, one in section["who"].items():
        lines.append(
            f"| {who} | {one['version']} | {one['a MB']:.1f} | all | {one['findings']:,} | "
            f"{sum(kind['drawn'] for kind in one['by kind'].values())} | "
            + " | ".join(str(sum(kind["labels"].get(name, 0) for kind in one["by kind"].values())) for name in MEANING)
            + f" | {one['precision']:.3f} | {one['of the form']:.3f} |"
        )
        for kind, told in one["by kind"].items():
            lines.append(
                f"| | | | {kind} | {told['findings']:,} | {told['drawn']} | "
                + " | ".join(str(told["labels"].get(name, 0)) for name in MEANING)
                + f" | {_interval(told['precision'])} | {_interval(told['of the form'])} |"
            )
    first = (
        f"{kind} {told.get('yes', 0)} of {sum(told.values())} ({told.get('no', 0) + told.get('span', 0)} wrong)"
        for kind, told in section["first"].items()
    )
    lines += [
        "",
        "The reader was the language model that wrote this benchmark. Detectors were mended where a label said `no`,",
        f"and the same draw is counted above, so it flatters. Labelled first, `yes` were: {', '.join(first)}.",
        "",
        "Drawn afresh: the last draw, of findings that had no label before, after those mendings; no detector was",
        "changed for what it showed (the few mended after it were for wrong findings in code outside the corpus). Of",
        "e-mail and names it is as good as new. Of the rare kinds little was left: most of their files had been looked",
        "at before, so these are other findings in the same files.",
    ]
    return lines


def _interval(three: list[float]) -> str:
    return f"{three[0]:.2f} ({three[1]:.2f}-{three[2]:.2f})"


def _speed(section: Found) -> list[str]:
    hyperscan = section["hyperscan"]
    rows = [
        (f"gate: {section['anchors']} anchors with what must stand near them", section["gate"], section["places"]),
        ("gate: any anchor", section["gate, any anchor"], section["places of any anchor"]),
        (f"all {section['detectors']} detectors, gate included", section["all detectors"], None),
    ]
    if "problem" not in hyperscan:
        rows.append((f"hyperscan {hyperscan['version']}, any anchor", hyperscan["MB/s"], hyperscan["matches"]))
    rows += [(f"{name} {one['version']}", one["MB/s"], None) for name, one in section["peers"].items()]
    ours = section["all detectors"]
    lines = [
        f"## Speed ({section['date']})",
        "",
        f"{section['MB']:.1f} MB of ordinary files, seconds of CPU of one core; texts in memory, peers that read files",
        "from a folder in the page cache. All but the gates find, so they compare.",
        "",
        "| | MB/s | places | all detectors are faster by |",
        "|---|---:|---:|---:|",
    ]
    for name, rate, places in rows:
        faster = f"{ours / rate:.1f}" if places is None and rate != ours else ""
        lines.append(f"| {name} | {rate:.2f} | {'' if places is None else f'{places:,}'} | {faster} |")
    return lines


def _redaction(section: Found) -> list[str]:
    lines = [
        f"## Redaction ({section['date']})",
        "",
        "Files that change when what was found is replaced by markers, and that tree-sitter parses without an error",
        "before: those that still parse.",
        "",
        "| files | changed | parsed before | still parse | share | broken, by language |",
        "|---|---:|---:|---:|---:|---|",
    ]
    for name in ("ordinary", "planted"):
        one = section[name]
        broken = ", ".join(f"{key} {number[0]}/{number[1]}" for key, number in one["broken by language"].items())
        lines.append(
            f"| {name} | {one['changed']:,} | {one['parsed before']:,} | {one['still parse']:,} | {one['share']:.4f} "
            f"| {broken or 'none'} |"
        )
    return lines


def _contamination(section: Found) -> list[str]:
    lines = [
        f"## Benchmarks ({section['date']})",
        "",
        "Every problem planted twice in real files: as its authors wrote it, and in another layout.",
        "",
        "| | problems | planted | found | share |",
        "|---|---:|---:|---:|---:|",
    ]
    for name, number in section["planted"].items():
        found = section["found"].get(name, 0)
        problems = section["sought"][name]["problems"]
        lines.append(f"| {name} | {problems:,} | {number:,} | {found:,} | {found / number:.4f} |")
    matches = ", ".join(f"{name} {number}" for name, number in section["matches"]) or "nothing"
    lines += [
        "",
        f"In {section['clean files']:,} ordinary files ({section['clean bytes'] / 1e6:.0f} MB) {section['files hit']} "
        f"are hit: {matches}; {section['MB/s']:.0f} MB/s.",
    ]
    if section["problems hit"]:
        lines += ["Most often: " + ", ".join(f"{name} {number}" for name, number in section["problems hit"][:10]) + "."]
    if section["missed"]:
        lines += ["", "Missed: " + ", ".join(section["missed"]) + "."]
    return lines


_WRITERS: dict[str, Callable[[Found], list[str]]] = {
    "planted": _planted,
    "ordinary": _ordinary,
    "speed": _speed,
    "redaction": _redaction,
    "contamination": _contamination,
}
