"""bench/results/search.md, of what bench/search.py found."""

from typing import Any

Found = dict[str, Any]


def build(one: Found) -> str:
    lines = [
        "One worker, from the dataset to the published index. Shares are of the text's bytes.\n",
        "| | files | MB | s of CPU | MB/s of one core | s | most memory, MB | index | rows | block filters | texts |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in ("without symbols", "with symbols"):
        row, sizes = one[name], one[name]["sizes"]
        lines.append(
            f"| {name} | {row['files']:,} | {row['MB']:,.1f} | {row['cpu']:.1f} | **{row['MB/s']:.1f}** "
            f"| {row['wall']:.1f} | {row['peak'] / 1e6:,.0f} | {sizes['index']:.3f} | {sizes['rows']:.3f} "
            f"| {sizes['block filters']:.3f} | {sizes['texts']:.3f} |"
        )
    return "\n".join(lines)


def queries(one: Found) -> str:
    lines = [
        "Milliseconds, in one process, one after the other, warm. Ten hits are shown with their lines and the rest is",
        "counted for at most 2 ms; then without counting; the best hit alone; and none: words are counted by the",
        "index alone, of other texts nothing is proved then, so those are the candidates only.\n",
        "| kind | n | p50 | p95 | p99 | most | counted whole | ten: p50 | p99 | one: p50 | p99 | none: p50 | p99 |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for kind, row in one.items():
        if isinstance(row, dict) and "page only" in row:
            rest = " | ".join(
                f"{row[name]['p50']:.2f} | {row[name]['p99']:.2f}" if name in row else "- | -"
                for name in ("page only", "first", "none shown")
            )
            lines.append(
                f"| {kind} | {row['n']} | {row['p50']:.2f} | {row['p95']:.2f} | {row['p99']:.2f} | {row['max']:.2f} "
                f"| {row['complete']} | {rest} |"
            )
    return "\n".join(lines)


def peers(one: Found) -> str:
    rows = []
    for kind, row in one["ripgrep"].items():
        if isinstance(row, dict):
            rows.append(_row(f"ripgrep {one['ripgrep']['version']}, all files", kind, row["files"]))
            rows.append(_row(f"ripgrep {one['ripgrep']['version']}, one file", kind, row["one file"]))
    built = []
    for tokenizer, told in one["SQLite"].items():
        name = f"SQLite {told.get('version', '')} FTS5 {tokenizer.split()[0]}"
        if "problem" in told:
            built.append(f"{name}: {told['problem']}")
            continue
        built.append(f"{name}: built at {told['build MB/s']:.1f} MB/s of CPU, {told['index']:.2f} of the text's bytes.")
        for kind, row in told.items():
            if isinstance(row, dict):
                rows.append(_row(f"{name}, first ten", kind, row["first ten"]))
                rows.append(_row(f"{name}, counting", kind, row["count"]))
    head = ["| | kind | queries | p50 ms | p99 ms |", "|---|---|---:|---:|---:|"]
    return "\n".join(
        [*head, *rows, "", *built, "", f"Zoekt, as it says itself (nothing measured here): {one['Zoekt']}."]
    )


def _row(name: str, kind: str, row: Found) -> str:
    return f"| {name} | {kind} | {row['n']} | {row['p50']:.2f} | {row['p99']:.2f} |" if row["n"] else ""


def clients(one: Found) -> str:
    problems = ", ".join(f"{number} × {problem}" for problem, number in one["problems"].items()) or "none"
    return (
        f"{one['clients']} clients at `starloom serve`, all at once, {one['answers']:,} answers, "
        f"{one['answers a second']:.0f} a second; p50 {one['p50']:.0f} ms, p99 {one['p99']:.0f} ms. "
        f"Errors: {problems}. Partial: {one['partial']}."
    )


def equality(one: Found) -> str:
    kinds = one["kinds"]
    total = sum(row["queries"] for row in kinds.values())
    lines = [
        f"{total:,} queries, all hits of each against a scan of every file; where they are above 200,\n"
        "their number, and the first 200.\n",
        "| kind | queries | hits | by number | different |",
        "|---|---:|---:|---:|---:|",
    ]
    for kind, row in kinds.items():
        lines.append(f"| {kind} | {row['queries']} | {row['hits']:,} | {row['counted']} | {len(row['different'])} |")
    lines += [f"\n`{query}`: {expected} by the scan, {got} by the index" for query, expected, got in _first(kinds)]
    return "\n".join(lines)


def _first(kinds: Found) -> list[Any]:
    return [one for row in kinds.values() for one in row["different"][:3]]


SECTIONS = {"build": build, "queries": queries, "peers": peers, "clients": clients, "equality": equality}
