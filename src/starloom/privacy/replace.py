"""`replaced`: a text with what is private in it replaced, and where the replacements stand.

Nothing outside the findings changes, not a byte. Findings of the kinds asked for that overlap are replaced as one, from
the first character of any to the last of any, so that no part of either stays. Cost: that of copying the text.

How: by the paper's markers (arXiv 2402.19173, section 4), with one of five private addresses for an IP address, as in
pii_redaction/utils.py of bigcode-dataset; or by invented values (invented.py). A marker is spelled as the file's
language lets it stand (markers.py).
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from starloom.errors import UserError
from starloom.kernels.random import keyed_uint64
from starloom.privacy.finding import Finding, Kind
from starloom.privacy.invented import invented
from starloom.privacy.markers import spelled

LEAST_KEY: Final = 16  # characters

# pii_redaction/replacements.json of bigcode-dataset.
_PRIVATE_V4: Final = ("172.16.31.10", "172.16.58.3", "172.16.17.32", "192.168.127.12", "192.168.3.11")
_PRIVATE_V6: Final = (
    "fd00:c2b6:b24b:be67:2827:688d:e6a1:6a3b",
    "fd00:a516:7c1b:17cd:6d81:2137:bd2a:2c5b",
    "fc00:e968:6179::de52:7100",
    "fc00:db20:35b:7399::5",
    "fdf8:f53e:61e4::18",
)


class Redaction(NamedTuple):
    """Characters `start` to `end` (exclusive) of the text that came out stand for something of this kind."""

    start: int
    end: int
    kind: Kind


@dataclass(frozen=True)
class SourceRedaction:
    """`[redact.source]`: what is replaced in source code, and how. Kinds as in the paper, Table 3."""

    kinds: tuple[Kind, ...] = ("EMAIL", "IP_ADDRESS", "KEY", "PASSWORD", "NAME")
    replace: Literal["markers", "synthetic", "none"] = "markers"

    @property
    def replaces(self) -> tuple[Kind, ...]:
        """The kinds that are replaced, in order; none where nothing is."""
        return () if self.replace == "none" else tuple(sorted(set(self.kinds)))


@dataclass(frozen=True)
class RedactSettings:
    """`[redact]`. `key`: of invented values; who knows it can tell whether a value was replaced by another."""

    key: str = field(default="", repr=False)
    source: SourceRedaction = field(default_factory=SourceRedaction)

    def __post_init__(self) -> None:
        if self.source.replace == "synthetic" and len(self.key) < LEAST_KEY:
            raise UserError(
                '[redact.source] replace = "synthetic" needs a key: without one, whoever guesses an address or a '
                "password can prove that it was in the data",
                f"write `key = …` under [redact], a secret of {LEAST_KEY} characters or more, e.g. of "
                "`python -c 'import secrets; print(secrets.token_hex())'`; keep it to get the same values again",
            )


def replaced(
    text: str, findings: Iterable[Finding], settings: RedactSettings, language: str = ""
) -> tuple[str, list[Redaction]]:
    """The text with the findings of the kinds in `settings` replaced, and the replacements, in order. `language`: the
    file's, by Linguist's name.

    >>> replaced("ada@nowhere.dev!", [Finding(0, 15, "EMAIL", "email", 0.9)], RedactSettings())
    ('<EMAIL>!', [Redaction(start=0, end=7, kind='EMAIL')])
    """
    kinds = settings.source.replaces
    found = apart((one for one in findings if one.kind in kinds), len(text))
    if not found:
        return text, []
    addresses = _Addresses()
    pieces: list[str] = []
    redactions: list[Redaction] = []
    at = size = 0
    for one in found:
        value = text[one.start : one.end]
        if settings.source.replace == "synthetic":
            new = invented(value, one.kind, settings.key)
        elif one.kind == "IP_ADDRESS":
            new = addresses.of(value)
        else:
            new = spelled(one.kind, text, one.start, language)
        pieces += [text[at : one.start], new]
        size += one.start - at
        redactions.append(Redaction(size, size + len(new), one.kind))
        size += len(new)
        at = one.end
    return "".join([*pieces, text[at:]]), redactions


def apart(findings: Iterable[Finding], length: int) -> list[Finding]:
    """The findings in order, clipped to a text of `length` characters; those that overlap are one, of the kind of which
    one is surest, then longest, then first.

    >>> apart([Finding(0, 4, "NAME", "a", 0.5), Finding(3, 9, "EMAIL", "b", 0.9)], 8)
    [Finding(start=0, end=8, kind='EMAIL', detector='b', confidence=0.9)]
    """
    clipped = [one._replace(start=max(one.start, 0), end=min(one.end, length)) for one in findings]
    groups: list[list[Finding]] = []
    end = 0
    for one in sorted(one for one in clipped if one.start < one.end):
        if groups and one.start < end:
            groups[-1].append(one)
        else:
            groups.append([one])
        end = max(end, one.end)
    return [_united(group) for group in groups]


def _united(group: Sequence[Finding]) -> Finding:
    best = min(group, key=lambda one: (-one.confidence, one.start - one.end, one))
    return best._replace(start=group[0].start, end=max(one.end for one in group))


class _Addresses:
    """In one text: the same private address for the same address, others for others while there are any."""

    def __init__(self) -> None:
        self._given: dict[str, str] = {}
        self._used: set[str] = set()

    def of(self, value: str) -> str:
        if value not in self._given:
            try:
                plain = str(ipaddress.ip_address(value))
            except ValueError:
                plain = value
            self._given[value] = self._given.get(plain) or self._given.setdefault(plain, self._next(plain))
        return self._given[value]

    def _next(self, plain: str) -> str:
        choices = _PRIVATE_V6 if ":" in plain else _PRIVATE_V4
        first = keyed_uint64(0, "private address", plain) % len(choices)
        around = [choices[(first + step) % len(choices)] for step in range(len(choices))]
        chosen = next((one for one in around if one not in self._used), around[0])
        self._used.add(chosen)
        return chosen
