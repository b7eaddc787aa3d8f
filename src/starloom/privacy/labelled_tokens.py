"""Labelled tokens to findings: the labels' schemes, spans merged, edges trimmed, the paper's skip rules.

Labels as BIO, BIOES or BILOU write them, or without a prefix. What stands at the edges of a span and belongs to no
value (spaces, quotes, brackets) is left out, as BigCode's postprocessing does. Skipped, as in its redaction: names of
one word, values of at most 3 characters, keys of at most 8. Linear in the tokens that carry a label; no torch.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from starloom.privacy.finding import KINDS, Finding, Kind

DETECTOR: Final = "names-model"
_OTHER_WORDS: Final[dict[str, Kind]] = {"PER": "NAME", "PERSON": "NAME", "IP": "IP_ADDRESS", "USER": "USERNAME"}
_PREFIX = re.compile(r"([BIESLU])[-_](?=.)")
_SHORTEST: Final[Mapping[Kind, int]] = {"KEY": 9}  # characters
_SHORT: Final = 4  # of other kinds
_BEFORE = " \t\r\n!\"'()*+,-./:;<=>?[\\]^_`{|}~"
_AFTER = re.compile(r"[\s\W]+\Z")
_SPACE = re.compile(r"\s+\Z")


class Label(NamedTuple):
    """What a label says of a token: part of something of this kind; `begins`: the first of it, whatever is before."""

    kind: Kind
    begins: bool


class Token(NamedTuple):
    """A token with a label: the `number` of it in its text, its characters, and how sure the model is."""

    number: int
    start: int
    end: int
    label: Label
    probability: float


def label_of(name: str) -> Label | None:
    """What a model's label means here; None of what is nothing to hide (O, AMBIGUOUS, LOC, …).

    >>> label_of("B-NAME"), label_of("PER"), label_of("B-AMBIGUOUS")
    (Label(kind='NAME', begins=True), Label(kind='NAME', begins=False), None)
    """
    written = name.strip().upper()
    prefix = _PREFIX.match(written)
    word = (written[2:] if prefix else written).replace("-", "_")
    kind = next((one for one in KINDS if one == word), _OTHER_WORDS.get(word))
    return None if kind is None else Label(kind, prefix is not None and prefix[1] in "BSU")


def findings(text: str, tokens: Iterable[Token], least: float) -> list[Finding]:
    """Spans of neighbouring tokens of one kind, in order, none overlapping; confidence: the mean of the tokens'
    probabilities, `least` at least. `tokens`: those with a label, in order."""
    found: list[Finding] = []
    for run in _runs(tokens):
        kind = run[0].label.kind
        start, end = _trimmed(text, max(run[0].start, found[-1].end if found else 0), max(one.end for one in run), kind)
        confidence = sum(one.probability for one in run) / len(run)
        if end - start < _SHORTEST.get(kind, _SHORT) or not confidence >= least:  # NaN is no confidence
            continue
        if kind == "NAME" and len(text[start:end].split(maxsplit=1)) < 2:
            continue
        found.append(Finding(start, end, kind, DETECTOR, min(confidence, 1.0)))
    return found


def _runs(tokens: Iterable[Token]) -> Iterable[Sequence[Token]]:
    run: list[Token] = []
    for token in tokens:
        goes_on = run and token.number == run[-1].number + 1 and token.label.kind == run[0].label.kind
        if run and not (goes_on and not token.label.begins):
            yield run
            run = []
        run.append(token)
    if run:
        yield run


def _trimmed(text: str, start: int, end: int, kind: Kind) -> tuple[int, int]:
    """Without what stands at the edges and is no part of a value; a key may end in `=` or another sign."""
    value = text[start:end]
    start += len(value) - len(value.lstrip(_BEFORE))
    value = text[start:end]
    after = (_SPACE if kind in ("KEY", "PASSWORD") else _AFTER).search(value)
    return start, end - (len(after[0]) if after else 0)
