"""A repository's `config` as git writes it, read without starting git. Syntax: `git help config`, "CONFIGURATION FILE".

Whatever a hand may have added (quotes, escapes, comments behind a value, continued lines) is left to git, which knows
all of it.
"""

import re

_SECTION = re.compile(r'\[([A-Za-z0-9-]+)(?: "([^"\\]*)")?\]')
_VALUE = re.compile(r'[\t ]*([A-Za-z][A-Za-z0-9-]*)(?: *= *([^\t"\\#;]*))?')


def plain_settings(data: bytes) -> dict[str, str] | None:
    """By `section.subsection.name`, as `git config --list` has them, the last of several; "true" for a name alone.
    None where git must be asked."""
    if not data.isascii() or b"\r" in data or b"\0" in data:
        return None
    settings: dict[str, str] = {}
    section = ""
    for line in data.decode("ascii").split("\n"):
        if not line.strip("\t ") or line[0] in "#;":
            continue
        if found := _SECTION.fullmatch(line):
            section = found[1].lower() + ("" if found[2] is None else f".{found[2]}")
        elif section and (found := _VALUE.fullmatch(line)):
            settings[f"{section}.{found[1].lower()}"] = "true" if found[2] is None else found[2].rstrip(" ")
        else:
            return None
    return settings
