"""A folder shaped like a Linguist, with languages that nobody speaks."""

import json
from pathlib import Path

LANGUAGES = """
Alpha:
  type: programming
  extensions: [".al", ".x", ".ab"]
  interpreters: [alpha]
Alpha Two:
  type: programming
  aliases: [alpha2]
  extensions: [".x", ".two.x", ".ab", ".two.w"]
  filenames: [Alphafile]
  interpreters: [alpha, alpha2]
Beta:
  type: data
  extensions: [".ab", ".1"]
XML:
  type: data
  extensions: [".xml"]
Roff Manpage:
  type: markup
Roff:
  type: markup
  extensions: [".rf"]
"""

HEURISTICS = r"""
disambiguations:
- extensions: ['.x']
  rules:
  - language: Alpha
    and:
    - pattern: '^alpha\h{2}\b'
    - negative_pattern: '(?m:one.two)'
  - language: Alpha Two
    named_pattern: two
- extensions: ['.ab']
  rules:
  - language: [Alpha, Beta]
    pattern: ['^both$', '(?i)EITHER']
  - language: Beta
    pattern: '(a+)+\z'
- extensions: ['.1']
  rules:
  - language: Roff
named_patterns:
  two: '^\s*two\s*{'
"""

SAMPLES = {
    "extnames": {"Beta": [".beta"], "Alpha Two": [".w"]},
    "interpreters": {"Beta": ["betac"]},
    "tokens_total": 30,
    "languages_total": 3,
    "languages": {"Alpha": 1, "Alpha Two": 1, "Beta": 1},
    "language_tokens": {"Alpha": 10, "Alpha Two": 10, "Beta": 10},
    "tokens": {"Alpha": {"let": 5, "COMMENT#": 5}, "Alpha Two": {"set": 10}, "Beta": {"get": 10}},
}

VENDOR = "- (^|/)elsewhere/\n- \\.min\\.[a-z]+$\n"
DOCUMENTATION = "- ^[Dd]ocs?/\n"


def make(folder: Path, **changed: str | None) -> Path:
    """A checkout in `folder`; files by their names without ending, None leaves one out."""
    home = folder / "lib" / "linguist"
    home.mkdir(parents=True)
    files = {
        "languages.yml": LANGUAGES,
        "heuristics.yml": HEURISTICS,
        "vendor.yml": VENDOR,
        "documentation.yml": DOCUMENTATION,
        "generic.yml": "extensions: ['.1']\n",
        "samples.json": json.dumps(SAMPLES),
    }
    for name, text in files.items():
        text = changed.get(name.partition(".")[0], text)
        if text is not None:
            (home / name).write_text(text, "utf-8")
    return folder
