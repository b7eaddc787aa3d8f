"""Writes src/starloom/licenses/texts.tsv: known licence texts, by hash, and which licence each is.

    npm pack spdx-license-list@6.12.0
    python scripts/license_texts.py spdx-license-list-6.12.0.tgz FOLDER...

Needs ScanCode (pip install 'starloom[licenses]'), a Debian system, and half an hour the first time. In it are:

- Standard ones: `licenseText` of every id of the package (SPDX License List 3.28.0) and Debian's
  /usr/share/common-licenses, each also without its heading, Apache-2.0 also by the notice that its appendix asks for.
- Those met below the folders (packages, their archives) that ScanCode is sure of: every word of the text stands in a
  match with a score of 100, every licence has a name of its own, and the canonical text says what the original says.

A text on which the table would not give ScanCode's verdict (permissive or not) stays out, whatever it is.
"""

import hashlib
import io
import json
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from license_corpus import distinct

from starloom.licenses.canonical import canonical, text_id
from starloom.licenses.categories import entry, expression_class
from starloom.licenses.expressions import join, symbols
from starloom.licenses.scancode import Scan, Scanner, version
from starloom.licenses.texts import digest, normalise
from starloom.licenses.verdict import license_type

SHA256 = "54cc8d13086187333ca1457c8edaa06d9a412144f076aa7f7c1b59c4f3b0a1ef"
TABLE = Path(__file__).parents[1] / "src" / "starloom" / "licenses" / "texts.tsv"
COMMON = Path("/usr/share/common-licenses")
DEBIAN = {"Artistic": "Artistic-1.0-Perl", "BSD": "BSD-3-Clause"}  # its other files bear SPDX ids, GNU's without ".0"

HEAD = """\
# hash of the normalised text, SPDX expression; made by scripts/license_texts.py
# from the texts of the SPDX License List 3.28.0 (npm spdx-license-list 6.12.0, CC0-1.0), Debian's, and texts met in
# packages and named by ScanCode {version}
"""

MIN_WORDS = 12  # a variant with fewer is a title or a pointer, not a licence
_GNU = re.compile(r"^((?:A?GPL|LGPL|GFDL)-\d\.\d)(?:\+|-or-later|-only)?$")
_GNU_2 = re.compile(r"^(L?GPL-\d)$")
_APACHE_NOTICE = re.compile(
    r"licensed under the apache license,\s+version 2\.0\b.*?\blimitations\s+under\s+the\s+license",
    re.IGNORECASE | re.DOTALL,
)
_VAGUE = re.compile(r"LicenseRef-scancode-(?:.*unknown|other-|.*proprietary|generic-|warranty-disclaimer)")


def main() -> int:
    if len(sys.argv) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    data = Path(sys.argv[1]).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        print(f"{sys.argv[1]} is not spdx-license-list 6.12.0", file=sys.stderr)
        return 1
    told = Counter[str]()
    with Scanner() as scanner:
        rows = standard([*_spdx(data), *_debian()], scanner, told)
        rows |= met(
            [one.text for one in distinct(sys.argv[2:]) if one.kind in ("license", "paragraph")], rows, scanner, told
        )
    TABLE.write_text(table(rows, version() or ""), encoding="ascii")
    print(*(f"{number} {what}" for what, number in told.most_common()), sep="\n")
    return 0


def standard(texts: Iterable[tuple[str, str]], scanner: Scanner, told: Counter[str]) -> dict[str, str]:
    """Rows from pairs of an SPDX id and a text of that licence; an id may come with several texts.

    Several ids may have one text. Every version of a GNU id (GPL-2.0, GPL-2.0+, GPL-2.0-or-later) goes under the
    `-only` one, all being copyleft. Else the one kept is that of a whole text before one of its parts, the shortest
    name first, then in alphabetical order.
    """
    best: dict[str, tuple[tuple[bool, int, str], str]] = {}
    for given, text in texts:
        spdx_id = _GNU.sub(r"\1-only", given)
        for number, variant in enumerate(variants(text)):
            key, one = digest(normalise(variant)), ((number > 0, len(spdx_id), spdx_id), variant)
            best[key] = min(one, best.get(key, one))
    rows = {}
    scans = scanner.scan((text_id(variant), variant) for _, variant in best.values())
    for (key, ((_, _, spdx_id), _)), scan in zip(best.items(), scans):
        if _verdict(scan) == expression_class(spdx_id):
            rows[key] = spdx_id
        else:
            print(f"left out: {spdx_id}, which ScanCode calls {join(list(scan.expressions), 'AND') or 'nothing'}")
        told["standard texts" if key in rows else "standard texts of which ScanCode says otherwise"] += 1
    return rows


def variants(text: str) -> Iterator[str]:
    """The text, itself without one or two short paragraphs at the top (headings), and Apache-2.0's notice."""
    paragraphs = re.split(r"\n\s*\n", text.replace("\r", "").strip())
    for skipped in range(min(3, len(paragraphs))):
        if any(len(one.split()) > 12 for one in paragraphs[:skipped]):
            break
        variant = "\n\n".join(paragraphs[skipped:])
        if len(normalise(variant).split()) >= MIN_WORDS or skipped == 0:
            yield variant
    if notice := _APACHE_NOTICE.search(text):
        yield notice[0]


def met(texts: Sequence[str], known: Mapping[str, str], scanner: Scanner, told: Counter[str]) -> dict[str, str]:
    """Rows for the texts of which ScanCode is sure and that are not known; one of which it says two things is none."""
    forms = {text: canonical(text).text for text in texts}
    both = ((text_id(one), one) for pair in forms.items() for one in pair)
    scans = scanner.scan(both)
    found: dict[str, set[str | None]] = {}
    for (text, form), original, scan in zip(forms.items(), scans, scans):
        words = normalise(text)
        if len(words.split()) >= MIN_WORDS and digest(words) not in known:
            found.setdefault(digest(words), set()).add(_sure(form, scan, original))
    rows = {key: expressions.copy().pop() for key, expressions in found.items() if len(expressions) == 1}
    sure = {key: expression for key, expression in rows.items() if expression is not None}
    told["texts that were met"] += len(sure)
    told["texts that were met, of which ScanCode is not sure"] += len(found) - len(sure)
    return sure


def _sure(form: str, scan: Scan, original: Scan) -> str | None:
    """What a canonical text is under, if every word of it is accounted for and the original says the same."""
    ids = [symbols(one) for one in scan.expressions]
    if not ids or _ids(scan) != _ids(original) or _verdict(scan) != _verdict(original):
        return None
    if any(entry(one) is None or _VAGUE.match(one) for one in _ids(scan)):
        return None
    if any(match.score < 100 for match in scan.matches):
        return None
    matched = {line for match in scan.matches for line in range(match.start, match.end + 1)}
    if any(line and number not in matched for number, line in enumerate(form.split("\n"), 1)):
        return None
    return join(sorted(set(scan.expressions)), "AND")


def _ids(scan: Scan) -> set[str]:
    return {one for expression in scan.expressions for one in symbols(expression)}


def _verdict(scan: Scan) -> str | None:
    """permissive, non_permissive or no_license (neutral notices); None: no licence found, or a problem."""
    return license_type(None, scan.expressions) if scan.expressions else None


def table(rows: Mapping[str, str], scancode: str) -> str:
    """The table's text, by licence, then by hash."""
    lines = sorted((expression.lower(), key, expression) for key, expression in rows.items())
    return HEAD.format(version=scancode) + "".join(f"{key}\t{expression}\n" for _, key, expression in lines)


def _spdx(data: bytes) -> Iterator[tuple[str, str]]:
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        file = archive.extractfile("package/spdx-full.json")
        assert file is not None
        for spdx_id, license in json.load(file).items():
            if "exception" not in spdx_id.lower():  # a licence and its exception under one id, long deprecated
                yield spdx_id, license["licenseText"]


def _debian() -> Iterator[tuple[str, str]]:
    for path in sorted(COMMON.iterdir()):
        if not path.is_symlink():
            name = re.sub(r"-(\d)$", r"-\1.0", path.name) if "GPL" in path.name else path.name  # GPL-3
            name = f"{name}-only" if re.fullmatch(r"(?:[AL]?GPL|GFDL)-[\d.]+", name) else name
            yield DEBIAN.get(name, name), path.read_text(encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
