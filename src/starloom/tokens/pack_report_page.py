"""The page of `starloom tokens show`: what pack_report.py found, for a person at a terminal."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from starloom.progress import counted, human


def page(report: Mapping[str, Any]) -> str:
    """The whole page, about 90 columns wide."""
    return "\n".join(_lines(report))


def _lines(report: Mapping[str, Any]) -> Iterator[str]:
    streams = report["streams"]
    variants = counted(report["variants"], "variants")
    yield f"{report['folder']}: {counted(report['tokens'], 'tokens')} in {variants}, {human(report['bytes'], 'bytes')}"
    made = f"tokenizer {report['tokenizer'][:12]}, {counted(report['vocabulary'], 'tokens')}, {report['dtype']}"
    if imported := report["imported"]:
        made += f"; imported from {imported['from']} ({imported['dtype']})"
    yield made
    yield ""
    rows = [("source", "variant", "tokens", "documents", "files", "bytes per token")]
    for one in streams:
        rate = "–" if one["bytes_per_token"] is None else f"{one['bytes_per_token']:.2f}"
        numbers = (f"{one[name]:,}" for name in ("variant", "tokens", "documents", "files"))
        rows.append((one["source"], *numbers, rate))
    yield from _table(rows, "<>>>>>")
    if report["no_repositories"]:
        yield f"  no repository belongs to {', '.join(report['no_repositories'])}"
    if any(one["seen"] for one in streams):
        yield ""
        yield from _drawn(streams, report["settings"])
    for one in streams:
        if "packings" in one:
            yield ""
            yield from _packings(one)


def _drawn(streams: Sequence[Mapping[str, Any]], settings: Mapping[str, float] | None) -> Iterator[str]:
    names = ("tell their name", "documents cut", "files cut", "suffix first", "syntax", "fell back")
    rows: list[Sequence[str]] = [("as drawn", *names, "looked at")]
    if settings:
        both = settings["repository_rate"] * settings["file_rate"]
        rates = (settings["metadata_rate"], settings["repository_rate"], both, settings["spm_rate"])
        rows.append(("  settings", *map(_share, rates), _share(settings.get("syntax_rate")), "", ""))
    for one in streams:
        if seen := one["seen"]:
            shares = (seen["shares"][name] for name in ("metadata", "cut_documents", "cut_files", "suffix_first"))
            syntax = fell_back = "–"
            if (laid := one["laid_out"]) and laid["cut"]:
                syntax = _share(laid["syntax"] / laid["cut"])
                fell_back = f"{laid['no_grammar'] + laid['not_parsed']:,}"  # to characters
            name = f"  {one['source']} {one['variant']}"
            rows.append((name, *map(_share, shares), syntax, fell_back, f"{seen['documents']:,} documents"))
    yield from _table(rows, "<>>>>>>>")
    marked: dict[str, int] = {}
    for one in streams:
        for name, number in (one["seen"] or {"marked": {}})["marked"].items():
            marked[name] = marked.get(name, 0) + number
    if any(marked.values()):
        told = (f"{number:,} {name}" for name, number in marked.items() if number)
        yield f"  private values as tokens: {', '.join(told)}"


def _packings(stream: Mapping[str, Any]) -> Iterator[str]:
    title = f"packing {stream['source']}"
    rows: list[Sequence[str]] = [
        (title, "rows", "padding", "documents cut", "files cut", "left out", "sees of document, file")
    ]
    for one in stream["packings"]:
        name = f"  {one['sequence']:>7,} {one['method']}"
        if not one["rows"]:
            rows.append((name, "0", "–", "–", "–", f"{stream['tokens']:,}", "–"))
            continue
        rows.append(
            (
                name,
                f"{one['rows']:,}",
                _share(one["padding"] / (one["rows"] * one["sequence"])),
                _cut(one["cut_documents"], stream["documents"]),
                _cut(one["cut_files"], stream["files"]),
                f"{one['lost']:,}",
                f"{one['context']:,.0f}, {one['file_context']:,.0f}",
            )
        )
    yield from _table(rows, "<>>>>>>")


def _cut(some: int, all_: int) -> str:
    return f"{some:,} ({_share(some / all_)})" if all_ else "–"


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _table(rows: Sequence[Sequence[str]], sides: str) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(sides))]
    for row in rows:
        cells = (f"{cell:{side}{width}}" for cell, side, width in zip(row, sides, widths, strict=True))
        yield "  ".join(cells).rstrip()
