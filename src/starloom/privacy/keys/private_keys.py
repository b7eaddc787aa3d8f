"""Private keys in blocks: PEM, OpenSSH, PGP, PuTTY; and in the fields of JSON, XML and WireGuard.

Found is what stands between the marks, from its first character to its last, whatever line ends, quotes, comment signs
or escapes stand within: what is before and after keeps its form. A block is looked at for 16,000 characters.
"""

import re
from collections.abc import Iterator

from starloom.privacy.detector import Detector
from starloom.privacy.finding import Finding
from starloom.privacy.gibberish import WORDY, bits
from starloom.privacy.keys.checks import decoded
from starloom.privacy.keys.form import form
from starloom.privacy.placeholders import is_filler

LONGEST = 16_000  # characters of a block: one of 16,384 bits has 12,600
_BEGIN = re.compile(
    r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY(?: BLOCK)?-----|---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----"
)
_END = re.compile(r"-----END |---- END ")
_HEADER = re.compile(
    r"(?:Proc-Type|DEK-Info|Version|Comment|Charset|Hash|Subject|MessageID|x-[a-z-]+): ?[^\n\\]{0,200}", re.I
)
_ESCAPE = re.compile(r"\\+[nrt]")
_RUN = re.compile(r"[A-Za-z0-9+/=]+")
_SHORTEST = 40  # characters of a body: an Ed25519 key has 64


def _block(text: str, at: int) -> Iterator[Finding]:
    begin = _BEGIN.match(text, max(at - 11, 0))
    if begin is None or not begin.start() <= at < begin.end():
        begin = _BEGIN.search(text, max(at - 48, 0), at + 40)
        if begin is None:
            return
    start, stop = begin.end(), begin.end() + LONGEST
    end = _END.search(text, start, stop)
    again = _BEGIN.search(text, start, end.start() if end else stop)
    body = text[start : again.start() if again else end.start() if end else stop]
    for left_out in (_HEADER, _ESCAPE):
        body = left_out.sub(lambda one: " " * len(one[0]), body)
    runs = list(_RUN.finditer(body))
    if again or not end:  # cut off: as far as its lines go
        runs = _together(runs)
    long = [run for run in runs if len(run[0]) >= 24]
    if not long or sum(len(run[0]) for run in runs) < _SHORTEST or max(bits(run[0]) for run in long[:4]) <= WORDY:
        return
    first, last = long[0].start(), long[-1].end()
    for run in runs:  # its last line; PGP's checksum
        if run.start() >= last and len(run[0]) > 3 and run.start() - last <= 24:
            if "\n" in text[start + last : start + run.start()].replace("\n", "", 1):
                break
            last = run.end()
    if long[0][0][0] == "+" and len(long[0][0]) % 4 == 1:
        first += 1  # the sign of a line in a diff
    raw = decoded(body[first:last].lstrip()[:40]) or b""
    proven = raw[:1] == b"\x30" or raw.startswith(b"openssh-key-v1\0") or ("PGP" in begin[0] and raw[:1] >= b"\x80")
    yield Finding(start + first, start + last, "KEY", "private-key", 1.0 if proven else 0.9)


def _together(runs: list[re.Match[str]]) -> list[re.Match[str]]:
    """Runs of base64 as long as no more than some quotes, signs and escapes stand between them."""
    kept: list[re.Match[str]] = []
    for run in runs:
        if kept and (run.start() - kept[-1].end() > 24 or (len(run[0]) < 16 and len(kept[-1][0]) < 16)):
            break
        kept.append(run)
    return kept


_JWK = re.compile(r"\"(?:d|k|p|q|dp|dq|qi)\"\s{0,4}:\s{0,4}\"([A-Za-z0-9_-]{20,1400})\"")


def _web_key(text: str, at: int) -> Iterator[Finding]:
    """Secret members of a JSON Web Key (RFC 7518, section 6) whose "kty" is at hand."""
    first = text.rfind("{", max(at - 4000, 0), at)
    last = text.find("}", at, at + 4000)
    if first >= 0 and last >= 0:
        for member in _JWK.finditer(text, first, last):
            if not is_filler(member[1]):
                yield Finding(member.start(1), member.end(1), "KEY", "json-web-key", 0.95)


DETECTORS: tuple[Detector, ...] = (
    Detector("private-key", ("private key-----", "private key block-----", "encrypted private key ----"), _block),
    Detector("json-web-key", ('"kty"',), _web_key),
    form(
        "putty-key",
        "private-lines:",
        r"Private-Lines: ?\d{1,3}\r?\n((?:[A-Za-z0-9+/=]{4,64}\r?\n){0,60}[A-Za-z0-9+/=]{4,64})(?![A-Za-z0-9+/=-])",
    ),
    form("xml-rsa-key", "<d>", r"<D>([A-Za-z0-9+/=\s]{40,1400})</D>"),
)
