"""Machine-readable debian/copyright (DEP-5) and .reuse/dep5, and the `.license` file beside another (REUSE).

DEP-5: each Files paragraph speaks for the paths that match its patterns; where several match, the last one counts.
Short names of licences are Debian's (Expat, GPL-2+, GFDL-NIV-1.3+); what no table knows is read from the licence's
own text, in the same paragraph or in one of its own.
"""

import re

from starloom.licenses.categories import PUBLIC_DOMAIN, UNKNOWN, canonical
from starloom.licenses.expressions import join, parse
from starloom.licenses.metadata import name_expression
from starloom.licenses.statements.fields import Field, paragraphs
from starloom.licenses.statements.globs import any_of
from starloom.licenses.statements.globs import dep5 as glob_of
from starloom.licenses.statements.naming import stated
from starloom.licenses.statements.statement import Statement, line_of
from starloom.licenses.texts import recognise
from starloom.licenses.verdict import NO_ASSERTION

_FORMAT = re.compile(r"(?mi)^(?:format|format-specification):[^\n]*(?:copyright-format|dep-?5|dep\.debian)")
_MAX_LICENSES = 2_000  # stand-alone licences of one file that are remembered


def dep5(text: str) -> tuple[Statement, ...]:
    """The statements of a machine-readable copyright file; none of another one."""
    text = text.replace("\r\n", "\n")
    if not _FORMAT.search(text[:5_000]):
        return ()
    blocks = [{field.name: field for field in block} for block in paragraphs(text)]
    texts = {
        block["license"].value.partition("\n")[0].strip().lower(): block["license"].value.partition("\n")[2]
        for block in blocks[:_MAX_LICENSES]
        if "license" in block and "files" not in block
    }
    statements: list[Statement] = []
    known: _Known = {}
    for priority, block in enumerate(blocks):
        license = block.get("license")
        if license is None or ("files" not in block and priority):
            continue
        # The header's licence is the whole package's; any Files paragraph says more.
        globs = _globs(block["files"]) if priority or "files" in block else ["*"]
        expression = _license(license, texts, known)
        for pattern in any_of(glob_of(glob) for glob in globs):
            statements.append(Statement("files", pattern, expression, license.line, "DEP-5", priority))
    return tuple(statements)


def _globs(files: Field) -> list[str]:
    return [glob for glob in files.value.replace(",\n", "\n").split() if glob != ","]


_Known = dict[tuple[str, str], str]  # what was made of a License field: many paragraphs may name one long text


def _license(field: Field, texts: dict[str, str], known: _Known) -> str:
    synopsis, _, own = field.value.partition("\n")
    key = (synopsis, own)
    if key not in known:
        known[key] = _read_license(synopsis.strip(), own, texts)
    return known[key]


def _read_license(synopsis: str, own: str, texts: dict[str, str]) -> str:
    if synopsis and (found := expression(synopsis, texts)) and parse(found):
        return found
    text = own if own.strip() else texts.get(synopsis.lower(), "")
    text = re.sub(r"(?m)^\.$", "", text)
    if text.strip() and (whole := recognise(text)):
        return whole.expression
    return NO_ASSERTION if not synopsis else (stated(synopsis) or NO_ASSERTION)


# --- Debian's expressions ----------------------------------------------------------------------------------------

_COMMA = re.compile(r",\s*(?=(?:and|or)\b)", re.IGNORECASE)
_OPERATOR = re.compile(r"\s+(and/or|and|or)\s+|\s*(\|)\s*|\s*(,)\s*", re.IGNORECASE)
_WITH = re.compile(r"\s+with\s+", re.IGNORECASE)
_EXCEPTIONS = [
    ("classpath", "Classpath-exception-2.0"),
    ("llvm", "LLVM-exception"),
    ("autoconf", "Autoconf-exception-generic"),
    ("bison", "Bison-exception-2.2"),
    ("libtool", "Libtool-exception"),
    ("font", "Font-exception-2.0"),
    ("gcc", "GCC-exception-3.1"),
    ("ocaml", "OCaml-LGPL-linking-exception"),
    ("openssl", "LicenseRef-scancode-openssl-exception-gpl-2.0"),
]
_NAMES = {
    "expat": "MIT",
    "mit/x11": "MIT",
    "x11": "X11",
    "artistic": "Artistic-1.0",
    "artistic-1": "Artistic-1.0",
    "perl": "Artistic-1.0-Perl OR GPL-1.0-or-later",
    "public-domain": PUBLIC_DOMAIN,
    "publicdomain": PUBLIC_DOMAIN,
    "public domain": PUBLIC_DOMAIN,
    "pd": PUBLIC_DOMAIN,
    "cc0": "CC0-1.0",
    "boost": "BSL-1.0",
    "boost-1.0": "BSL-1.0",
    "zlib/libpng": "Zlib",
    "php-3.01": "PHP-3.01",
    "python": "Python-2.0",
    "bsd": "BSD-3-Clause",
    "bsd-2": "BSD-2-Clause",
    "bsd-3": "BSD-3-Clause",
    "bsd-4": "BSD-4-Clause",
    "unicode": "Unicode-DFS-2016",
    "w3c": "W3C",
    "qpl": "QPL-1.0",
}
_GFDL = re.compile(r"gfdl(-niv)?-(1\.[123])(-no-invariants)?(\+|-or-later|-only)?")


def expression(synopsis: str, texts: dict[str, str] | None = None) -> str | None:
    """The expression of a License field's first line; None if a name in it is unknown.

    A comma before "and" or "or" binds more loosely than these do.

    >>> expression("GPL-2+ or Artistic-2.0, and BSD-3-clause"), expression("Expat")
    ('(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause', 'MIT')
    """
    if len(synopsis) > 2_000:
        return None
    loose = _COMMA.split(synopsis)
    if len(loose) > 1:
        operators = {part.split()[0].lower() for part in loose[1:]}
        if len(operators) != 1 and operators != {"and", "or"}:
            return None
        # Mixed, they would need brackets that the format lacks: all apply.
        operator = "OR" if operators == {"or"} else "AND"
        rest = [re.sub(r"^(?:and|or)\s+", "", part, flags=re.IGNORECASE) for part in loose[1:]]
        parts = [expression(part, texts) for part in (loose[0], *rest)]
        known = [part for part in parts if part]
        return join(known, operator) if len(known) == len(parts) else None
    if (name := _name(synopsis, texts or {})) is not None:
        return name
    pieces = _OPERATOR.split(synopsis)
    names = [_name(piece, texts or {}) for piece in pieces[::4]]
    if len(names) == 1 or any(name is None for name in names):
        return None
    found = [f"({name})" if name and " OR " in name else name or "" for name in names]
    joined = found[0]
    for i, one in enumerate(found[1:]):
        word = next(part for part in pieces[4 * i + 1 : 4 * i + 4] if part).lower()
        # "and" binds more tightly than "or", as in SPDX.
        joined += f" {'OR' if word in ('or', '|', 'and/or') else 'AND'} {one}"
    return joined


_GNU_VARIANT = re.compile(r"([al]?gpl-\d(?:\.\d)?\+?)[-~_+ ].*")


def _name(name: str, texts: dict[str, str]) -> str | None:
    name = name.strip(" .")
    lower = name.lower()
    if lower in _NAMES:
        return _NAMES[lower]
    if gfdl := _GFDL.fullmatch(lower):
        variant = "-no-invariants" if gfdl[1] or gfdl[3] else ""
        return f"GFDL-{gfdl[2]}{variant}-{'or-later' if gfdl[4] in ('+', '-or-later') else 'only'}"
    license, *exception = _WITH.split(name, maxsplit=1)
    if exception:
        base = _name(license, texts)
        words = exception[0].lower()
        if base is None or " " in base:
            return base
        known = next((spdx for word, spdx in _EXCEPTIONS if word in words), None)
        return f"{base} WITH {known}" if known else base
    if "like" in lower or "style" in lower or "variant" in lower:
        return _by_text(lower, texts)
    if "(" not in name and re.search(r"\s(?:and|or)\s", lower):
        return None  # several
    found = canonical(name) if not lower.endswith(("gpl",)) else None
    if found and not re.fullmatch(r"(?:[al]?gpl)-.*", lower):
        return found
    # Made-up names of GNU licences with an exception or a twist (LGPL-2.1-OCaml) are as restrictive as those.
    twist = _GNU_VARIANT.fullmatch(lower)
    return name_expression(name) or _by_text(lower, texts) or (name_expression(twist[1]) if twist else None)


def _by_text(name: str, texts: dict[str, str]) -> str | None:
    text = re.sub(r"(?m)^\.$", "", texts.get(name, ""))
    known = recognise(text) if text.strip() else None
    return known.expression if known else None


# --- a file beside another ---------------------------------------------------------------------------------------

_TAG = re.compile(r"(?mi)^[^\w\n]{0,8}spdx-license-identifier:[ \t]*([^\n]{1,300})")


def sidecar(file_name: str, text: str) -> tuple[Statement, ...]:
    """NAME.license speaks for NAME."""
    name = file_name.rpartition("/")[2].removesuffix(".license")
    tags = list(_TAG.finditer(text[:50_000]))
    if not name or not tags:
        return ()
    expressions = [stated(tag[1].strip(" */->\r")) or UNKNOWN for tag in tags[:100]]
    pattern = "(?s)" + re.escape(name)
    return (Statement("files", pattern, join(expressions, "AND"), line_of(text, tags[0].start()), "sidecar"),)
