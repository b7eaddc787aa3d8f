"""bench/results/membership.md, of what bench/membership.py found."""

from typing import Any

Found = dict[str, Any]


def build(one: Found) -> str:
    lines = [
        "One worker, from the dataset to the published index. Shares are of the text's bytes.\n",
        "| | MB | s of CPU | MB/s of one core | s | most memory, MB | tiles and filter | renamed | text | all |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name in ("exact copies alone", "renamed copies too"):
        row, sizes = one[name], one[name]["sizes"]
        table = sum(share for part, share in sizes.items() if part in _TABLE)
        renamed = sum(share for part, share in sizes.items() if part.startswith("renamed"))
        lines.append(
            f"| {name} | {row['MB']:,.1f} | {row['cpu']:.1f} | **{row['MB/s']:.0f}** | {row['wall']:.1f} "
            f"| {row['peak'] / 1e6:,.0f} | **{table:.3f}** | {renamed:.3f} | {sizes['text']:.3f} "
            f"| {sum(sizes.values()):.3f} |"
        )
    return "\n".join(lines)


def speed(one: Found) -> str:
    lines = [
        f"{one['texts']:,} held-out files, {one['MB']:.1f} MB; and the same as texts of 1 MB. MB/s of one core.\n",
        "| | files | texts of 1 MB |",
        "|---|---:|---:|",
    ]
    for name in ("folded and looked up", "confirmed"):
        lines.append(f"| {name} | **{one[f'{name}, files']:.1f}** | **{one[f'{name}, large texts']:.1f}** |")
    lines.append(f"| `check_many`: {one['matches']:,} matches, described with their files | {one['MB/s']:.1f} | |")
    if "as JSON, MB/s" in one:
        lines.append(f"| … and written as JSON, {one['JSON, MB']:.0f} MB | {one['as JSON, MB/s']:.1f} | |")
        lines.append(f"| … whose {one['files']:,} files nobody looks at | {one['not looked at, MB/s']:.1f} | |")
    if "one by one, MB/s" in one:
        lines.append(f"| `check`, a file at a time | {one['one by one, MB/s']:.1f} | |")
    lines.append(f"\nThe look-up alone: **{one['windows/s'] / 1e6:.1f} million windows a second** of one core.")
    return "\n".join(lines)


def attribution(one: Found) -> str:
    return (
        f"{one['n']} texts of 2 KB with two re-indented copies each, warm: p50 **{one['p50']:.2f} ms**, "
        f"p95 {one['p95']:.2f}, p99 **{one['p99']:.2f}**, most {one['max']:.2f}. Of {one['copies']:,} copies "
        f"{one['found']:,} found whole; of {one['named']:,} the file is named, or so many have it that not all are."
    )


def planted(one: Found) -> str:
    lines = [
        "Found: one match has the whole copy. Named: its own file is among those listed. Of many: so many files have "
        "it (above 4,096) that not all are compared.\n",
        "| characters, white space folded | change | planted | found | named | named, or of many |",
        "|---:|---|---:|---:|---:|---:|",
    ]
    rows = list(one["rows"].values())
    for row in [*rows, _sum([row for row in rows if row["length"] >= 99], "99 and more")]:
        lines.append(
            f"| {row['length']} | {row['change']} | {row['planted']:,} | {_share(row['found'], row['planted'])} "
            f"| {_share(row['named'], row['planted'])} | {_share(row['told'], row['planted'])} |"
        )
    return "\n".join(lines)


def renamed(one: Found) -> str:
    lines = [
        "Pieces of 20 to 60 lines, with other names, between other code. Found: at least half of it is in a match; "
        "the last column: in matches of unchanged code alone.\n",
        "| language | of its names replaced | planted | found | the file named | found as exact copies |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    rows = list(one["rows"].values())
    totals = [_sum([row for row in rows if row["share"] == share], "all") | {"share": share} for share in (1.0, 0.5)]
    for row in [*rows, *totals]:
        lines.append(
            f"| {row.get('language', 'all')} | {row['share']:.0%} | {row['planted']:,} "
            f"| {_share(row['found'], row['planted'])} | {_share(row['named'], row['planted'])} "
            f"| {_share(row['exact'], row['planted'])} |"
        )
    return "\n".join(lines)


def held_out(one: Found) -> str:
    texts, characters = one["texts by kind"], one["characters by kind"]
    shares = "; ".join(
        f"{name}: in {_share(texts[name], one['texts'])} of the texts, "
        f"{_share(characters[name], one['characters'])} of their characters"
        for name in texts
    )
    return (
        f"{one['texts']:,} files that are not in the dataset, {one['characters'] / 1e6:.1f} million characters: "
        f"{one['exact']:,} exact matches ({one['common']:,} of them common), **{one['wrong']} wrong** by the text "
        f"of the file that is named.\nMatches by kind, chance and real copies alike: {shares}."
    )


def peers(one: Found) -> str:
    lines = []
    told = one["Data Portraits"]
    if "problem" in told:
        lines.append(f"Data Portraits' rule: {told['problem']}")
    else:
        recall = ", ".join(f"{length}: {_share(*pair)}" for length, pair in told["recall"].items())
        alone = told["rbloom alone"]
        lines += [
            f"Data Portraits' rule in rbloom {told['version']}, {told['MB']:.0f} MB of text: built at "
            f"{told['build MB/s']:.1f} MB/s, filter {told['filter']:.3f} of the text, checks {told['check MB/s']:.1f} "
            f"MB/s, {told['windows/s'] / 1e6:.2f} million windows a second, {told['false positives']:.3%} of them "
            "false positives. It says yes or no: no file, no licence.",
            f"Planted copies with any window found, by length: {recall}.",
            f"rbloom alone: {alone['adds/s'] / 1e6:.1f} million adds and {alone['look-ups/s'] / 1e6:.1f} million "
            "look-ups a second.",
        ]
    told = one["infini-gram"]
    if "problem" in told:
        lines.append(f"infini-gram: {told['problem']}")
    else:
        attribute, count = told["attribute"], told["count"]
        lines.append(
            f"infini-gram {told['version']}, bytes, {told['MB']:.0f} MB of text: built at {told['build MB/s']:.1f} MB/s"
            f", index {told['index']:.2f} of the text; attribute(2 KB) p50 {attribute['p50']:,.0f} ms, p99 "
            f"{attribute['p99']:,.0f}; count of 50 bytes p50 {count['p50']:.2f} ms, p99 {count['p99']:.2f}."
        )
    return "\n".join(lines)


def _sum(rows: list[Found], name: str) -> Found:
    total: Found = {"length": name, "change": "all"}
    for key in ("planted", "found", "named", "told", "exact"):
        total[key] = sum(row.get(key, 0) for row in rows)
    return total


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.2%}" if whole else "-"


_TABLE = ("gate", "filter", "starts", "tags", "tiles")
SECTIONS = {
    "build": build,
    "speed": speed,
    "attribution": attribution,
    "planted": planted,
    "renamed": renamed,
    "held out": held_out,
    "peers": peers,
}
