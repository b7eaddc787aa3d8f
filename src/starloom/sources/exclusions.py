"""`.starloom.toml` in a repository: what its owner leaves out. It is data and may only exclude.

```toml
exclude = ["vendor/", "*.min.js", "docs/**/figures"]     # or exclude = true: the whole repository
```

Patterns as in `.gitignore`, without `!` and `[…]`: `*` and `?` within a name, `**` across folders; one with a slash
before its end is meant from the root, another matches at any depth; what it matches is left out with all below it.
Matched by comparing, never as a regular expression: a stranger's pattern costs at most its length times the path's.
What cannot be read or understood excludes everything: its owner wanted something left out, and we cannot tell what.
"""

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

NAME = ".starloom.toml"
MAX_BYTES = 1 << 16
MAX_PATTERNS = 500
_EVERYTHING = "the whole repository"


@dataclass(frozen=True)
class Exclusions:
    """What an owner's `.starloom.toml` excludes; `reason` stands where it excludes everything."""

    patterns: tuple[tuple[str, bool, tuple[str, ...]], ...] = ()  # as written, only folders, components
    reason: str | None = None

    def excluded(self, path: str) -> str | None:
        """The pattern (or reason) that leaves `path` out; None where it stays."""
        if self.reason is not None:
            return self.reason
        parts = path.split("/")
        for written, folder, components in self.patterns:
            # Below a folder that matches, everything is out: any leading part of the path may be what matches.
            if any(_matches(components, parts[:end]) for end in range(1, len(parts) + (not folder))):
                return written
        return None


def parse(data: bytes) -> Exclusions:
    """The exclusions in the bytes of a `.starloom.toml`. Raises nothing: see above."""
    if len(data) > MAX_BYTES:
        return too_long()
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as problem:
        return _all(f"it cannot be read: {str(problem)[:100]}")
    asked = table.get("exclude", [])
    if asked is True:
        return Exclusions(reason=_EVERYTHING)
    if asked is False:
        return Exclusions()
    if isinstance(asked, str):
        asked = [asked]
    if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
        return _all("`exclude` is no list of patterns")
    if len(asked) > MAX_PATTERNS:
        return _all(f"it has more than {MAX_PATTERNS} patterns")
    patterns = []
    for one in asked:
        pattern = one.strip()
        if not pattern.strip("/"):
            return _all("an empty pattern")
        if pattern.startswith("!") or "[" in pattern:
            return _all(f"the pattern {pattern[:50]} has `!` or `[`")
        anchored = "/" in pattern.rstrip("/")
        parts = tuple(part for part in pattern.split("/") if part)
        patterns.append((pattern, pattern.endswith("/"), parts if anchored else ("**", *parts)))
    return Exclusions(tuple(patterns))


def too_long() -> Exclusions:
    """There is a `.starloom.toml` of more than `MAX_BYTES`."""
    return _all(f"it is longer than {MAX_BYTES} bytes")


def unreadable(reason: str) -> Exclusions:
    """There is a `.starloom.toml`, and nobody can read it."""
    return Exclusions(reason=f"{_EVERYTHING}: {NAME} cannot be read: {reason}")


def _all(reason: str) -> Exclusions:
    return Exclusions(reason=f"{_EVERYTHING}: {NAME} is not understood: {reason}")


def _matches(pattern: Sequence[str], parts: Sequence[str]) -> bool:
    """Whether the components of a pattern match those of a path; `**` stands for any number of them."""
    return _greedy(pattern, parts, "**", _name_matches)


def _name_matches(pattern: str, name: str) -> bool:
    return _greedy(pattern, name, "*", lambda one, other: one in ("?", other))


def _greedy(pattern: Sequence[str], items: Sequence[str], star: str, same: Callable[[str, str], bool]) -> bool:
    """Glob matching that goes back to the last star only: at most len(pattern) * len(items) comparisons."""
    at = item = 0
    last, resume = -1, 0
    while item < len(items):
        if at < len(pattern) and pattern[at] == star:
            last, resume = at, item
            at += 1
        elif at < len(pattern) and same(pattern[at], items[item]):
            at += 1
            item += 1
        elif last >= 0:
            resume += 1
            at, item = last + 1, resume
        else:
            return False
    return all(one == star for one in pattern[at:])
