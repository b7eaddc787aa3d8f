"""Names of people: where a text says that one stands there.

Authors and those who took part (`@author`, `Author:`, `__author__ =`, `Written by`, `Signed-off-by:`, `Maintainer:`),
and names with their address (`Joe Doe <joe@host.org>`, `joe@host.org (Joe Doe)`). Full names only, see full_names.
Never in a copyright or licence notice, nor in the lines that belong to one: an attribution that a licence demands must
stand; nor the authors of a bibliography. Names in running text need a model: see names_model. Cost: constant for each
anchor.
"""

import re
from collections.abc import Callable, Iterator
from functools import lru_cache

from starloom.privacy import usernames
from starloom.privacy.detector import ALPHANUMERIC, NOT_ASCII, WORD, Around, Detector, Near
from starloom.privacy.finding import Finding
from starloom.privacy.full_names import full_name_at, full_name_before, full_names_at
from starloom.privacy.word_lists import words

_NOTICE = (
    *("copyright", "©", "(c) ", "rights reserved", "license", "licence"),
    *("acknowledgement", "redistribut", "product includes"),
)
_FIELD = re.compile(r"licen[sc]es?[\"']?\s{0,8}(?::|=>?)\s{0,8}[\"'\[{]")
_LEADER = " \t\r*#/;%!-<>|'\"`.:,(){}[]=+~_"  # what a line without words is made of
_ABOVE = 6  # lines above that belong to the same paragraph
_BEFORE, _AFTER = 500, 200  # characters

_LINK = r"<a\s[^<>\n]{1,120}>"
_QUOTE = rf"(?:{_LINK}|[\[\"'({{<]{{0,3}})\s{{0,2}}"
_SAYS = rf"[\"'\]}}]?\s{{0,8}}(?::|=>?)\s{{0,12}}{_QUOTE}"  # Author: "
_AUTHOR = re.compile(
    rf"(?:(?<![A-Za-z_])authors?(?:\(s\))?{_SAYS}|(?<=__)author__{_SAYS}"  # Author: Joe Doe; __author__ = "Joe Doe"
    rf"|(?<=[@\\])authors?(?:\s{{1,12}}|\{{){_QUOTE}|(?<=<)author>\s{{0,2}})",  # @author Joe Doe; <author>Joe Doe
    re.I,
)
_BIBLIOGRAPHY = re.compile(r"authors?\s{0,8}=\s{0,16}\{", re.I)
_BY = re.compile(r"(?:(?<![A-Za-z-])|(?<=\bre))[a-z]{3,11} by:?\s{1,8}(?:<a\s[^<>\n]{1,120}>)?", re.I)
_VERBS = tuple(f"{verb} by" for verb in sorted(words("verbs")))
_TRAILER = re.compile(r"-by:[ \t]{1,4}", re.I)  # Signed-off-by: Joe Doe <joe@host.org>
_LABEL = re.compile(rf"(?:maintainer|uploader|translator|contributor)s?{_SAYS}", re.I)
_NAME_AFTER = re.compile(r"@[A-Za-z0-9.-]{3,80}[>\]]?[ \t]{1,3}\((?=[^\W\d_])")  # joe@host.org (Joe Doe)
_SPACE = re.compile(r"\s")
_ADDRESS = 66  # characters of a local part and what opens it
_LOOKED_AT = 160  # characters before a sign: of an address, what opens it, a name, and one more


def _labelled(label: re.Pattern[str], name: str) -> Callable[[str, int], Iterator[Finding]]:
    def find(text: str, at: int) -> Iterator[Finding]:
        said = label.match(text, at)
        if said is None:
            return
        found = list(full_names_at(text, said.end()))
        above = 0 if text[at - 1 : at] in ("@", "\\") else _ABOVE  # a tag is a paragraph of its own
        if found and not _BIBLIOGRAPHY.match(text, at) and not in_notice(text, at, above):
            for start, end in found:
                yield Finding(start, end, "NAME", name, 0.8)

    return find


def _before_address(text: str, at: int) -> Iterator[Finding]:
    first = at - _LOOKED_AT if at > _LOOKED_AT else 0
    first = max(first, text.rfind("\n", first, at) + 1)
    found = _before_sign(text[first:at])
    if found is not None and not in_notice(text, first + found[0]):
        yield Finding(first + found[0], first + found[1], "NAME", "name-and-address", 0.9)


@lru_cache(1 << 12)  # a list of changes repeats people
def _before_sign(line: str) -> tuple[int, int] | None:
    """Where the name begins and ends whose address has its sign at the end of `line`."""
    first = max(len(line) - _ADDRESS, 0)
    opened = max(line.rfind("<", first), line.rfind("(", first))
    if opened < 0 or _SPACE.search(line, opened + 1):
        return None
    end, first = opened, max(opened - 12, 0)
    while end > first and line[end - 1] in " \t`<":
        end -= 1
    if line[end - 1 : end] in ('"', "'"):
        end -= 1
    start = full_name_before(line, end)
    return None if start is None else (start, end)


def _after_address(text: str, at: int) -> Iterator[Finding]:
    address = _NAME_AFTER.match(text, at)
    if address is None:
        return
    end = full_name_at(text, address.end())
    if end is not None and not in_notice(text, at):
        yield Finding(address.end(), end, "NAME", "name-and-address", 0.9)


def in_notice(text: str, at: int, above: int = _ABOVE) -> bool:
    """Whether character `at` stands in a notice of copyright or licence: on a line that speaks of one, or in the same
    paragraph at most `above` lines below it. A field of a manifest (`"license": "MIT"`) is no notice."""
    first = max(at - _BEFORE, 0)
    first = max(first, text.rfind("\n\n" if above else "\n", first, at))  # a paragraph ends at an empty line
    end = text.find("\n", at, at + _AFTER)
    window = text[first : end if end >= 0 else at + _AFTER].lower()
    if not _speaks_of_one(window):
        return False
    lines = window.split("\n")[-above - 1 :]
    for line in reversed(lines):
        if _speaks_of_one(line) and not _FIELD.search(line):
            return True
        if not line.strip(_LEADER):
            return False
    return False


def _speaks_of_one(text: str) -> bool:
    for word in _NOTICE:  # noqa: SIM110 - any() takes twice as long, and every name is asked
        if word in text:
            return True
    return False


# What the gate asks for around an anchor (see Detector.around), of what is looked for above nothing left out.
_OTHER = "[^\0-\x7f]"
_BLANK = "[^!-~]"
_LETTERS = f"(?:[a-z'`.-]|{_OTHER})*"
_CAPITAL = f"(?:(?-i:[A-Z])|{_OTHER})"
_NAMES = (  # one in full, or one word and what parts it from the next
    rf"(?:{_CAPITAL}{_LETTERS}(?: |{_OTHER})(?:[a-z]|{_OTHER})"
    rf"|(?:[a-z]|{_OTHER}){_LETTERS}{_BLANK}*(?:<[^<>\n]+>|\([^()\n]+\))?(?:[,;]| and | & | / ))"
)
_LINKED = rf"(?:<a{_BLANK}[^<>\n]+>)?"
_NAMED = rf"{_LINKED}(?:{_BLANK}|[\"'\[({{<])*{_NAMES}"
_AUTHOR_SAID = rf"(?:(?:s|{_OTHER})?(?:\(s\))?|__)[\"'\]}}]?(?:{_BLANK}|[:=>{{])+{_NAMED}"
_LABEL_SAID = rf"(?:s|{_OTHER})?[\"'\]}}]?{_BLANK}*[:=]>?{_BLANK}*{_NAMED}"
_OPENED = rf"(?:[a-z'`.-]|{_OTHER})(?: |{_OTHER}){_LETTERS}{_CAPITAL}{_LETTERS}[\"']?[ \t`<]*[<(][^\s<(]*"


DETECTORS = (
    Detector("author", ("author",), _labelled(_AUTHOR, "author"), around=(Around(after=_AUTHOR_SAID),)),
    Detector("made-by", _VERBS, _labelled(_BY, "made-by"), around=(Around(after=f":?{_BLANK}+{_LINKED}{_NAMES}"),)),
    Detector("trailer", ("-by:",), _labelled(_TRAILER, "trailer"), around=(Around("[a-z]", rf"[ \t]+{_NAMES}"),)),
    Detector(
        "maintainer",
        ("maintainer", "uploader", "translator", "contributor"),
        _labelled(_LABEL, "maintainer"),
        around=(Around(after=_LABEL_SAID),),
    ),
    Detector(
        "name-and-address",
        ("@",),
        _before_address,
        near=(
            Near("after", ALPHANUMERIC),
            Near("before", WORD + ".+-" + NOT_ASCII),
            Near("before", "<(", within=_ADDRESS),
        ),
        around=(Around(before=_OPENED),),
    ),
    Detector(
        "address-and-name",
        ("@",),
        _after_address,
        near=(Near("after", ALPHANUMERIC), Near("after", "(", within=86)),
        around=(Around(after="[A-Za-z0-9.-]{3}[A-Za-z0-9.-]*[>\\]]?[ \t]+\\("),),
    ),
    *usernames.DETECTORS,
)
