"""Where a secret stands in a file: lines that are natural for its language, with the value's place in them.

In a line ⟨n⟩ is what the value is assigned to, ⟨h⟩ the same as HTTP writes it, ⟨v⟩ the value.
"""

import random
import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from safety import third_places, unseen_places
from safety.made_secrets import Kind

FAMILIES = {
    **dict.fromkeys(("Python", "Ruby", "Perl", "Julia", "R", "Elixir"), "script"),
    **dict.fromkeys(("JavaScript", "TypeScript", "TSX", "Vue"), "javascript"),
    **dict.fromkeys(("Java", "C#", "Kotlin", "Scala", "Swift", "Dart", "Groovy"), "java"),
    **dict.fromkeys(("C", "C++", "Objective-C"), "c"),
    "Go": "go",
    "Rust": "rust",
    "PHP": "php",
    **dict.fromkeys(("Shell", "Dockerfile"), "shell"),
    "YAML": "yaml",
    "JSON": "json",
    **dict.fromkeys(("INI", "TOML", "Java Properties"), "ini"),
    **dict.fromkeys(("XML", "HTML"), "xml"),
    **dict.fromkeys(("Markdown", "reStructuredText", "Text"), "prose"),
    "SQL": "sql",
}
_LINES = {
    "script": ('⟨n⟩ = "⟨v⟩"', "⟨n⟩ = '⟨v⟩'", 'client = Client(⟨n⟩="⟨v⟩")', '"⟨n⟩": "⟨v⟩",', "# ⟨n⟩: ⟨v⟩"),
    "javascript": (
        "const ⟨n⟩ = '⟨v⟩';",
        '⟨n⟩: "⟨v⟩",',
        'process.env.⟨n⟩ = "⟨v⟩";',
        'headers["⟨h⟩"] = "⟨v⟩";',
        "// ⟨n⟩ = ⟨v⟩",
    ),
    "java": (
        'private static final String ⟨n⟩ = "⟨v⟩";',
        'String ⟨n⟩ = "⟨v⟩";',
        'config.put("⟨n⟩", "⟨v⟩");',
        "// ⟨n⟩: ⟨v⟩",
    ),
    "c": ('#define ⟨n⟩ "⟨v⟩"', 'static const char *⟨n⟩ = "⟨v⟩";', 'setenv("⟨n⟩", "⟨v⟩", 1);', "/* ⟨n⟩: ⟨v⟩ */"),
    "go": (
        'const ⟨n⟩ = "⟨v⟩"',
        '⟨n⟩ := "⟨v⟩"',
        'os.Setenv("⟨n⟩", "⟨v⟩")',
        'req.Header.Set("⟨h⟩", "⟨v⟩")',
        "// ⟨n⟩: ⟨v⟩",
    ),
    "rust": ('const ⟨n⟩: &str = "⟨v⟩";', 'let ⟨n⟩ = "⟨v⟩";', 'env::set_var("⟨n⟩", "⟨v⟩");', "// ⟨n⟩: ⟨v⟩"),
    "php": ("$⟨n⟩ = '⟨v⟩';", "define('⟨n⟩', '⟨v⟩');", "'⟨n⟩' => '⟨v⟩',", "putenv('⟨n⟩=⟨v⟩');", "// ⟨n⟩: ⟨v⟩"),
    "shell": ("export ⟨n⟩=⟨v⟩", '⟨n⟩="⟨v⟩"', "export ⟨n⟩='⟨v⟩'", "curl -H '⟨h⟩: ⟨v⟩' \"$URL\"", "# ⟨n⟩=⟨v⟩"),
    "yaml": ("⟨n⟩: ⟨v⟩", '⟨n⟩: "⟨v⟩"', "  - ⟨n⟩=⟨v⟩", "# ⟨n⟩: ⟨v⟩"),
    "json": ('"⟨n⟩": "⟨v⟩",',),
    "ini": ("⟨n⟩ = ⟨v⟩", "⟨n⟩=⟨v⟩", '⟨n⟩ = "⟨v⟩"', "# ⟨n⟩ = ⟨v⟩"),
    "xml": (
        '<add key="⟨n⟩" value="⟨v⟩" />',
        "<⟨n⟩>⟨v⟩</⟨n⟩>",
        '<input type="hidden" name="⟨n⟩" value="⟨v⟩" />',
        "<!-- ⟨n⟩: ⟨v⟩ -->",
    ),
    "prose": ("    ⟨n⟩=⟨v⟩", "export ⟨n⟩=⟨v⟩", "The ⟨n⟩ is `⟨v⟩`.", '    "⟨n⟩": "⟨v⟩"'),
    "sql": ("-- ⟨n⟩: ⟨v⟩", "SET @⟨n⟩ = '⟨v⟩';", "INSERT INTO settings VALUES ('⟨n⟩', '⟨v⟩');"),
}
_COMMENTS = {
    **dict.fromkeys(("script", "shell", "yaml", "ini"), "# ⟨v⟩"),
    **dict.fromkeys(("javascript", "java", "go", "rust", "php"), "// ⟨v⟩"),
    "c": "/* ⟨v⟩ */",
    "json": '"_comment": "⟨v⟩",',
    "xml": "<!-- ⟨v⟩ -->",
    "prose": "⟨v⟩",
    "sql": "-- ⟨v⟩",
}
_STORAGE = "DefaultEndpointsProtocol=https;AccountName=stacme;AccountKey=⟨v⟩;EndpointSuffix=core.windows.net"
_OWN_LINES = ("yaml", "shell", "prose", "ini")  # where a value of many lines can stand as it is


class Line(NamedTuple):
    """`text`: without its line end; the value is text[start:end], and text[first:last] may go with it."""

    text: str
    start: int
    end: int
    first: int
    last: int


class Elsewhere(NamedTuple):
    """Places and names other than those that the detectors were developed with."""

    lines: Mapping[str, tuple[str, ...]]
    renamed: Callable[[str, Kind, random.Random], str]


UNSEEN = Elsewhere(unseen_places.LINES, unseen_places.renamed)
THIRD = Elsewhere(third_places.LINES, third_places.renamed)


def line_for(kind: Kind, family: str, rng: random.Random, elsewhere: Elsewhere | None = None) -> Line:
    """A line, or some, for a file of that family."""
    lines = (elsewhere.lines if elsewhere else _LINES)[family]
    made = kind.make(rng).split("\0")
    before, value, rest = ("", made[0], "") if len(made) == 1 else made
    name, template = rng.choice(kind.names), rng.choice(lines)
    if elsewhere:
        name = elsewhere.renamed(name, kind, rng)
    if kind.form == "block" and family in _OWN_LINES:
        template = {"yaml": "⟨n⟩: |\n⟨v⟩", "shell": "cat > id <<EOF\n⟨v⟩\nEOF"}.get(family, "⟨v⟩")
    elif kind.form in ("escaped", "block"):
        before, value, rest = (one.replace("\n", "\\n") for one in (before, value, rest))
        template = rng.choice([one for one in lines if '"⟨v⟩"' in one] or list(lines))
    elif kind.form == "comment":
        template = _COMMENTS[family]
    elif kind.form in ("basic", "bearer"):
        written = f"Authorization: {kind.form.title()} ⟨v⟩"
        if family in ("shell", "prose"):
            template = f"curl -H '{written}' https://api.acmecorp.io/v1/"
        else:
            template = rng.choice(
                [_COMMENTS[family].replace("⟨v⟩", written), f'"Authorization": "{kind.form.title()} ⟨v⟩",']
            )
    elif kind.form == "pair":
        name, template = "AZURE_STORAGE_CONNECTION_STRING", template.replace("⟨v⟩", _STORAGE)
    elif kind.form == "colon":
        template = _COMMENTS[family].replace("⟨v⟩", "⟨n⟩:⟨v⟩")
    elif kind.form == "define":
        template = "define('⟨n⟩', '⟨v⟩');"
    elif kind.form == "netrc":
        template = _COMMENTS[family].replace("⟨v⟩", "machine ftp.acmecorp.io login svc password ⟨v⟩")
    header = "X-" + re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-").title()
    if "://" not in name and "//" not in name and family not in ("ini", "prose", "shell", "yaml"):
        name = re.sub(r"\W", "_", name)
    head, tail = template.replace("⟨h⟩", header).replace("⟨n⟩", name).split("⟨v⟩")
    start, end = len(head + before), len(head + before + value)
    first, last = (len(head), end + len(rest)) if kind.whole else (start, end)
    return Line(head + before + value + rest + tail, start, end, first, last)
