"""The answer of `starloom tune` for a person: what each limit keeps, how the values lie, files on both sides."""

from collections.abc import Sequence

from starloom.outside.paths import printable
from starloom.progress import counted, human
from starloom.the_stack.thresholds import Distribution, Kept, Near
from starloom.the_stack.tune import Tuned, Tuning

_WIDTH = 40  # of the longest bar
_NOT_VERIFIED = "whose similarity to the file that stays is not known: a chain of pairs links them"


def words(found: Tuning) -> str:
    """All of it."""
    lines = [f"{found.name}: {found.condition}"]
    if found.source:
        lines.append(f"source: {found.source}")
    for one in found.limits:
        lines += ["", *_limit(one)]
    lines.append("")
    if found.stale:
        lines.append("The ledger was decided by other rules than those set now: `starloom build`, then ask again.")
    if not found.exact:
        lines.append("Near-duplicates and budgets are taken as they are now; --exact decides anew for each limit.")
    return "\n".join(printable(line) for line in lines).rstrip()


def _limit(one: Tuned) -> list[str]:
    lines = [f"{one.left} {_limited(one, one.limit)}"]
    lines += _table(one)
    if one.distribution and one.distribution.edges:
        lines += ["", *_histogram(one.distribution)]
    if one.distribution and one.distribution.unknown:
        unknown = counted(one.distribution.unknown, "files")
        is_similarity = one.distribution.column == "jaccard"
        lines.append(f"  {unknown} {_NOT_VERIFIED if is_similarity else 'without a value: never dropped by it'}")
    for title, files in (("dropped, nearest to the limit", one.dropped_near), ("kept, nearest to it", one.kept_near)):
        if files:
            lines += ["", f"  {title}", *_files(files)]
    return lines


def _table(one: Tuned) -> list[str]:
    """A row a limit, with the difference to the present one."""
    now = next((kept for kept in one.kept if kept.limit == one.limit), None)
    rows = [("dropped if", "files kept", "bytes kept", "", "")]
    for kept in one.kept:
        more = ("now", "") if kept is now else _difference(kept, now) if now else ("", "")
        rows.append((_limited(one, kept.limit), f"{kept.files:,}", human(kept.bytes, "bytes"), *more))
    return ["  " + line.rstrip() for line in _aligned(rows, right=(1, 2, 3, 4))]


def _limited(one: Tuned, limit: float) -> str:
    off = one.left == "jaccard" and not limit
    return "off" if off else f"{one.operator} {_short(limit)}"


def _difference(kept: Kept, now: Kept) -> tuple[str, str]:
    size = kept.bytes - now.bytes
    return f"{kept.files - now.files:+,} files", ("-" if size < 0 else "+") + human(abs(size), "bytes")


def _histogram(found: Distribution) -> list[str]:
    """A bar a bin: █ kept, ░ dropped; whatever is there is at least one character wide."""
    most = max(a + b for a, b in zip(found.kept, found.dropped, strict=True))
    closed = ("over", "to") if found.operator in (">", "<=") else ("from", "below")
    rows = []
    for k, (kept, dropped) in enumerate(zip(found.kept, found.dropped, strict=True)):
        bars = "".join(
            sign * max(round(_WIDTH * files / most), 1) for sign, files in (("█", kept), ("░", dropped)) if files
        )
        first = closed[0] if k else "from"
        last = closed[1] if k < len(found.kept) - 1 else "to"
        edges = (first, _short(found.edges[k]), last, _short(found.edges[k + 1]))
        rows.append((*edges, f"{kept + dropped:,}", bars))
    title = "  files that this limit decides, by value: █ kept, ░ dropped"
    return [title, *("  " + line.rstrip() for line in _aligned(rows, right=(1, 3, 4)))]


def _files(files: tuple[Near, ...]) -> list[str]:
    rows = []
    for file in files:
        about = ", ".join(
            part
            for part in (file.language, human(file.length_bytes, "bytes") if file.length_bytes is not None else None)
            if part
        )
        rows.append((_value(file.value), f"{file.repo_name}:{file.path}", f"({about})" if about else ""))
        if file.twin:
            rows.append(("", f"  like {file.twin}", ""))
    return ["    " + line.rstrip() for line in _aligned(rows, right=(0,))]


def _aligned(rows: Sequence[tuple[str, ...]], right: tuple[int, ...]) -> list[str]:
    """Columns as wide as their longest cell (of paths at most 70), but the last."""
    widths = [min(max(len(row[k]) for row in rows), 70) for k in range(len(rows[0]))]
    return [
        "  ".join(
            cell.rjust(width) if k in right else cell.ljust(width) for k, (cell, width) in enumerate(zip(row, widths))
        )
        for row in rows
    ]


def _short(value: float) -> str:
    """A limit or an edge: whole numbers in full, others to four digits."""
    return f"{int(value):,}" if value == int(value) else f"{value:.4g}"


def _value(value: float) -> str:
    """A measured value, so exact that two files that differ are seen to."""
    return f"{int(value):,}" if value == int(value) else f"{value:.6g}"
