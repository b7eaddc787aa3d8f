"""bench/results/tokens.md, of what bench/tokens.py found."""

from collections.abc import Callable
from typing import Any

from tokens import documents, far, loading, packing

Found = dict[str, Any]


def stage(one: Found) -> str:
    facts = one["facts"]
    size = facts.get("trained_bytes") or facts["text_bytes"]
    return (
        f"One worker, from the dataset to the published folder: {size / 1e6:,.1f} MB of text in {one['cpu']:.1f} s of "
        f"CPU ({one['wall']:.1f} s): **{size / 1e6 / one['cpu']:.1f} MB/s** of one core; most memory "
        f"{one['peak'] / 1e6:,.0f} MB."
    )


def encoding(one: Found) -> str:
    rows = one["encoders"]
    slow = [row for name, row in rows.items() if name.startswith("tokenizers")]
    library = max(row["MB"] / time for row in slow for time in row["times"])
    lines = [
        "Python strings to ids, 64 texts a call, one thread each; the second time the encoder has met the texts. Times",
        "tokenizers: the first time, against the fastest of its four.\n",
        "| encoder | MB | MB/s | second time | times tokenizers | tokens a byte | s until ready | holds MB |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in rows.items():
        if "problem" in row:
            lines.append(f"| {name} | | {row['problem'][-80:]} | | | | | |")
            continue
        again = row["MB"] / row["times"][1]
        lines.append(
            f"| {name} | {row['MB']:.0f} | **{_speed(row):.1f}** | {again:.1f} | {_speed(row) / library:.1f} "
            f"| {row['tokens'] / row['MB'] / 1e6:.6f} | {row['ready']:.2f} | {row['held'] / 1e6:,.0f} |"
        )
    return "\n".join(lines)


def _speed(row: Found) -> float:
    return float(row["MB"] / row["times"][0])


def equality(one: Found) -> str:
    seconds, different = one["seconds"], one["different"]
    return (
        f"{one['files']:,} files, {one['MB']:,.1f} MB, {one['tokens']:,} tokens; {one['not ASCII']:,} files are not "
        f"ASCII. Other ids than Hugging Face's: **{len(different)}** files{': ' if different else ''}"
        f"{', '.join(different[:10])}; left to Hugging Face: {one['left to the library']}. Seconds of CPU: "
        f"{seconds['Starloom']:.1f} and {seconds['tokenizers']:.1f}, "
        f"{seconds['tokenizers'] / seconds['Starloom']:.0f} times."
    )


SECTIONS: dict[str, Callable[[Found], str]] = {
    "encoding": encoding,
    "equality": equality,
    "documents": documents.table,
    "tokenizer stage": stage,
    "pack": stage,
    "datatrove": loading.datatrove_table,
    "packing": packing.table,
    "loading": loading.table,
    "far": far.table,
}
