"""Makes src/starloom/languages/comments.tsv: the comments and strings of languages.

    python scripts/comment_table.py TOKEI.json SCC.json

Input: the languages.json of tokei (MIT or Apache-2.0) and of scc (MIT), and comment_table.toml beside this script,
which wins. A language of Starloom's table is looked up by its name and its aliases; of a language that none of the
three knows there is no row.
"""

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

from starloom.languages.comments import TABLE, rules
from starloom.languages.table import Language, load

OWN = Path(__file__).with_suffix(".toml")
HEAD = """\
# How comments and strings are written, by language; made by scripts/comment_table.py from comment_table.toml there,
# from tokei's languages.json (MIT or Apache-2.0, (c) Erin Power and contributors) and scc's (MIT, (c) Ben Boyter)
# language, traits, what else stands in identifiers, comments, strings, skipped; see languages/comments.py
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tokei", type=Path)
    parser.add_argument("scc", type=Path)
    arguments = parser.parse_args()
    known = own(tomllib.loads(OWN.read_text("utf-8")))
    tokei = by_name(json.loads(arguments.tokei.read_text("utf-8"))["languages"], "name")
    scc = by_name(json.loads(arguments.scc.read_text("utf-8")), "")
    lines, counts = [], {"own": 0, "tokei": 0, "scc": 0, "none": 0}
    for language in load().languages.values():
        source, fields = find(language, known, tokei, scc)
        counts[source] += 1
        if fields:
            for column in fields[2:]:
                rules(column, 0)  # raises where the notation is not
            lines.append("\t".join([language.name, *fields]))
    if strange := sorted(known.keys() - load().languages.keys()):
        print("not in the table:", ", ".join(strange), file=sys.stderr)
    TABLE.write_text(HEAD + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(lines)} languages: {counts}")
    return 0


def own(table: dict[str, Any]) -> dict[str, list[str]]:
    """Rows of comment_table.toml by language, parts put in."""
    found = {}
    for entry in table["languages"]:
        fields = [entry.get(key, "") for key in ("traits", "inner", "comments", "strings", "skipped")]
        for name, part in table["parts"].items():
            fields[2:] = [" ".join(part if one == f"@{name}" else one for one in field.split()) for field in fields[2:]]
        for name in "".join(entry["names"].split("\n")).split("|"):
            found[name] = fields
    return found


def by_name(table: dict[str, Any], key: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, fields in table.items():
        found.setdefault(name.lower(), fields)
        if key in fields:
            found[fields[key].lower()] = fields
    return found


def find(
    language: Language, known: dict[str, list[str]], tokei: dict[str, Any], scc: dict[str, Any]
) -> tuple[str, list[str]]:
    if language.name in known:
        return "own", known[language.name]
    text = "text" if language.kind in ("markup", "prose") else ""
    for source, table in (("tokei", tokei), ("scc", scc)):
        for name in language.aliases:
            fields = table.get(name)
            if fields and (fields.get("line_comment") or fields.get("multi_line_comments") or fields.get("multi_line")):
                return source, imported(fields, text)
    return "none", []


def imported(fields: dict[str, Any], text: str) -> list[str]:
    """A row of what another table knows: whether a string may go over lines it does not tell, so three quotes may."""
    nested = "¦n" if fields.get("nested") or fields.get("nestedmultiline") else ""
    pairs = [*fields.get("multi_line_comments", ()), *fields.get("multi_line", ())]
    comments = [plain(one) for one in fields.get("line_comment", ())]
    comments += [f"{plain(a)}→{plain(b)}{nested}" for a, b in pairs]
    if "//" in comments and any(one.startswith("/*→") for one in comments):
        comments += [f"/**→*/¦{'n' if nested else ''}Da", "///¦Da"]
    strings = []
    if not text:
        strings = [quote(one) for one in (*fields.get("quotes", ()), *fields.get("doc_quotes", ()))]
        strings += [f"{plain(a)}→{plain(b)}¦m" for a, b in fields.get("verbatim_quotes", ())]
    return [text, "", " ".join(dict.fromkeys(comments)), " ".join(dict.fromkeys(strings)), ""]


def quote(one: Any) -> str:
    start, end = (one["start"], one["end"]) if isinstance(one, dict) else one
    raw = isinstance(one, dict) and one.get("ignoreEscape")
    flags = ("" if raw else "e") + ("m" if len(plain(end)) > 1 or plain(end) == "`" else "")
    return f"{plain(start)}→{plain(end)}" + (f"¦{flags}" if flags else "")


def plain(mark: str) -> str:
    """Their backslash before a quote is for their own build."""
    return mark.replace('\\"', '"').replace("\\\\", "\\").replace(" ", "␠")


if __name__ == "__main__":
    raise SystemExit(main())
