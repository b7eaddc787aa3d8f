"""A form that keys of a provider have, and the detector that finds them."""

import re
from collections.abc import Callable, Iterator

from starloom.privacy.detector import Around, Detector, Near
from starloom.privacy.finding import Finding, Kind
from starloom.privacy.placeholders import is_filler

# What stands before a token: no letter or digit of a longer word, but the escapes of strings and addresses.
START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=%[0-9A-Fa-f][0-9A-Fa-f]))"
LONGEST = 8192  # characters of a token, at most


def form(
    name: str,
    anchors: str | tuple[str, ...],
    pattern: str,
    proof: Callable[[str], bool] | None = None,
    *,
    accept: Callable[[str], bool] | None = None,
    kind: Kind = "KEY",
    confidence: float = 0.95,
    before: int = 0,
    required: bool = False,
    start: str = START,
    near: tuple[Near, ...] = (),
    after: str = "",
) -> Detector:
    """The detector of what matches `pattern` from an anchor on, or from up to `before` characters before it
    (`anchors`, where a string: parted by spaces).

    The value is group 1, or the match. `proof`: whether one is proven by more than its looks: then the confidence is 1.
    One that is not may still be somebody's, in a form not yet known, and keeps 0.6, or is none where proof is
    `required`. `accept`: whether one that is not proven is found at all; if not given, any but a filler ("xxx…").
    `start`: what stands before, in a pattern; `near`: as Detector has it; `after`: as its `around`, of one side.
    """
    compiled = re.compile(start + pattern, re.A)
    group = 1 if compiled.groups else 0

    def find(text: str, at: int) -> Iterator[Finding]:
        match = None
        for start in range(max(at - before, 0), at + 1):
            match = compiled.match(text, start, at + LONGEST)
            if match and match.end() > at:
                break
        if match:
            value = match[group]
            if proof is not None and proof(value):
                yield Finding(match.start(group), match.end(group), kind, name, 1.0)
            elif not required and (accept(value) if accept else not is_filler(value)):
                yield Finding(match.start(group), match.end(group), kind, name, 0.6 if proof else confidence)

    split = tuple(anchors.split(" ")) if isinstance(anchors, str) else anchors
    return Detector(name, split, find, near, (Around(after=after),) if after else ())
