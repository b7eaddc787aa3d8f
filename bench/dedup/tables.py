"""What bench/dedup.py found, in Markdown."""

from typing import Any

from dedup import roster

Found = dict[str, Any]


def report(found: Found) -> str:
    lines = [
        "# Near-deduplication",
        "",
        f"`python bench/dedup.py`; {found['machine']}.",
        "The machine is shared. MB are of text, seconds of CPU those of all processes and threads.",
        "Jaccard threshold 0.7, 5-grams.",
    ]
    for section, write in _WRITERS.items():
        if section in found:
            lines += ["", *write(found[section])]
    return "\n".join(lines) + "\n"


def _signatures(section: Found) -> list[str]:
    runs = section["runs"]
    ours = _speed(runs[roster.OURS])
    lines = [
        f"## Signatures ({section['date']})",
        "",
        f"{_input(section)}: texts in memory to signatures, the best of up to five runs in ten seconds.",
        "",
        "| | version | MinHash | MB/s of one core | we are faster by |",
        "|---|---|---|---:|---:|",
    ]
    for name, one in runs.items():
        if "problem" in one:
            lines.append(f"| {name} | | {_problem(one)} | | |")
            continue
        ratio = "" if name == roster.OURS else f"{ours / _speed(one):.1f}"
        lines.append(f"| {name} | {one['version']} | {one['what']} | {_speed(one):.2f} | {ratio} |")
    return lines


def _speed(one: Found) -> float:
    return float(one["bytes"] / one["seconds"] / 1e6)


def _end_to_end(section: Found) -> list[str]:
    runs, size = section["runs"], section["input"]["bytes"]
    ours = runs[roster.OURS]["cpu"]
    lines = [
        f"## End to end ({section['date']})",
        "",
        f"{_input(section)}: from a Parquet file to the list of files to keep, reading included, starting the",
        "interpreter and imports not. The median of the runs in brackets, which took turns.",
        "",
        "| | what | s of CPU | s | MB/s of CPU | peak MB | removed | of them under five words | we use less CPU by |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in runs.items():
        if "problem" in one:
            lines.append(f"| {name} | {_problem(one)} | {one['cpu']:.0f} | {one['wall']:.0f} | | | | | |")
            continue
        ratio = "" if name == roster.OURS else f"{one['cpu'] / ours:.1f}"
        every = ", ".join(f"{run['cpu']:.1f}" for run in one["every run"])
        lines.append(
            f"| {name} | {one['what']} | {one['cpu']:.1f} ({every}) | {one['wall']:.1f} |"
            f" {size / one['cpu'] / 1e6:.1f} | {one['peak'] / 1e6:,.0f} |"
            f" {one['removed']:,} | {one['short']:,} | {ratio} |"
        )
    return lines


def _quality(section: Found) -> list[str]:
    lines = [
        f"## Quality ({section['date']})",
        "",
        "Files of several releases of the same packages, exact copies out, and every Jaccard similarity computed by",
        "brute force. Each is judged by the 5-grams that it compares itself; the last two columns judge what it",
        "removed by ours (`words`). Recall and precision are over pairs that it takes for duplicates.",
    ]
    for name, one in section["sets"].items():
        lines += [
            "",
            f"{name}: {_input(one)}.",
            "",
            "| | pairs at 0.7 | recall | precision | removed | without a twin at 0.7 | below 0.7 to the one kept |"
            " `words`: without | `words`: below |",
            "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for who, run in one["runs"].items():
            if "problem" in run:
                lines.append(f"| {who} | {_problem(run)} | | | | | | | |")
                continue
            own, words = run["own"], run["words"]
            precision = "" if own["precision"] is None else f"{own['precision']:.3f}"
            alone, below = "removed without a twin", "removed below the threshold to their keeper"
            lines.append(
                f"| {who} | {own['pairs at the threshold']:,} | {own['recall']:.4f} | {precision} | {own['removed']} |"
                f" {own[alone]} | {own[below]} | {words[alone]} | {words[below]} |"
            )
    return lines


def _scale(section: Found) -> list[str]:
    lines = [
        f"## Scale ({section['date']})",
        "",
        "The same corpus multiplied by seeded edits (bench/dedup/multiply.py), `near_duplicates_in_files` on two",
        "workers, start and imports not counted. Peak: the sum of all processes' resident memory, which counts shared",
        "pages and mapped files in each; beside it with each page counted once.",
        "",
        "| files | MB | s | s of CPU | us of CPU a file | MB/s | peak MB | each page once | candidates | removed |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in section["runs"]:
        if "problem" in one:
            lines.append(f"| {_problem(one)} | | {one['wall']:.0f} | {one['cpu']:.0f} | | | | | | |")
            continue
        lines.append(
            f"| {one['files']:,} | {one['bytes'] / 1e6:,.0f} | {one['wall']:.1f} | {one['cpu']:.1f} |"
            f" {one['cpu'] / one['files'] * 1e6:.0f} | {one['bytes'] / one['cpu'] / 1e6:.1f} |"
            f" {one['peak'] / 1e6:,.0f} | {one['shared once'] / 1e6:,.0f} |"
            f" {one['candidates']:,} | {one['removed']:,} |"
        )
    return lines


def _hard(section: Found) -> list[str]:
    lines = [
        f"## Hard cases ({section['date']})",
        "",
        "bench/dedup/adversarial.py says what they are; `near_duplicates_in_files` on two workers.",
        "",
        "| case | files | MB | s | s of CPU | peak MB | candidates | capped buckets | removed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, one in section["runs"].items():
        if "problem" in one:
            lines.append(f"| {name} | {_problem(one)} | | {one['wall']:.0f} | {one['cpu']:.0f} | | | | |")
            continue
        lines.append(
            f"| {name} | {one['files']:,} | {one['bytes'] / 1e6:,.0f} | {one['wall']:.1f} | {one['cpu']:.1f} |"
            f" {one['peak'] / 1e6:,.0f} | {one['candidates']:,} | {one['capped buckets']:,} | {one['removed']:,} |"
        )
    return lines


def _input(section: Found) -> str:
    return f"{section['input']['files']:,} files, {section['input']['bytes'] / 1e6:.1f} MB"


def _problem(one: Found) -> str:
    return str(one["problem"]).splitlines()[-1][:100].replace("|", "/")


_WRITERS = {
    "signatures": _signatures,
    "end to end": _end_to_end,
    "quality": _quality,
    "scale": _scale,
    "adversarial": _hard,
}
