"""Writes src/starloom/languages/table.tsv from the npm package `linguist-languages`.

    npm pack linguist-languages@9.5.0
    python scripts/language_table.py linguist-languages-9.5.0.tgz

The package (MIT) has the table of GitHub's Linguist as JavaScript modules, one object literal each. What our own
detection adds stands in additions.toml, not here.
"""

import hashlib
import json
import re
import sys
import tarfile
from pathlib import Path

VERSION = "9.5.0"
SHA256 = "395ac8b6c5df87b6d0a92b7557c4046685f5b00e6abeaecbb6945195eb233c8d"
TABLE = Path(__file__).parents[1] / "src" / "starloom" / "languages" / "table.tsv"
COLUMNS = ("name", "type", "extensions", "filenames", "interpreters", "aliases", "color", "group")

_TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[{}\[\],:]|[\w$.+-]+|\s+""", re.DOTALL)


def main() -> int:
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    data = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        print(f"{sys.argv[1]} is not linguist-languages {VERSION}: its SHA-256 differs", file=sys.stderr)
        return 1
    languages = []
    with tarfile.open(sys.argv[1]) as package:
        for member in package:
            if member.name.startswith("package/data/") and member.name.endswith(".js"):
                file = package.extractfile(member)
                assert file is not None
                languages.append(literal(file.read().decode().removeprefix("export default").strip().rstrip(";")))
    lines = [
        f"# Linguist's languages; made by scripts/language_table.py from npm linguist-languages {VERSION} (MIT,",
        "# (c) GitHub, Inc. and Ika); lists are separated by |",
        "# " + ", ".join(COLUMNS),
    ]
    for one in sorted(languages, key=lambda one: (one["name"].lower(), one["name"])):
        values = [one.get(name, "") for name in COLUMNS]
        lines.append("\t".join("|".join(value) if isinstance(value, list) else value for value in values))
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TABLE.name}: {len(languages)} languages")
    return 0


def literal(text: str) -> dict[str, object]:
    """A JavaScript object literal of strings, numbers and lists as a dictionary."""
    tokens = [token for token in _TOKEN.findall(text) if not token.isspace()]
    out: list[str] = []
    for number, token in enumerate(tokens):
        following = tokens[number + 1] if number + 1 < len(tokens) else ""
        if token == "," and following in ("}", "]"):
            continue
        if token[0] in "'\"":
            token = json.dumps(re.sub(r"\\(.)", r"\1", token[1:-1]))
        elif following == ":":
            token = json.dumps(token)
        out.append(token)
    found: dict[str, object] = json.loads("".join(out))
    return found


if __name__ == "__main__":
    sys.exit(main())
