"""Names of accounts: in home directories, in `TODO(name)`, and where somebody is thanked or named by a handle.

Not found: accounts that belong to nobody (`/home/runner/`, `C:\\Users\\Public\\`), placeholders and variables
(`/home/$USER/`, `/Users/<name>/`), parts of URLs, and words in `TODO(…)` that say what is to be done. The paper ignores
names of accounts when it redacts; so does the recipe unless it asks for them. Cost: constant for each anchor.
"""

import re
from collections.abc import Iterator
from string import ascii_letters

from starloom.privacy.detector import ALPHANUMERIC, Around, Detector, Near
from starloom.privacy.finding import Finding
from starloom.privacy.word_lists import words

_ACCOUNT = r"[A-Za-z][A-Za-z0-9._-]{1,31}"
_HOME = re.compile(rf"/home/({_ACCOUNT})/(?=[\w.~$<{{-])", re.A)
_USERS = re.compile(rf"(?P<slash>/|\\{{1,2}})Users(?P=slash)({_ACCOUNT})(?P=slash)(?=[\w.~$<{{-])", re.A)
_ROOTED = re.compile(r"(?:(?<![\w.~}\])/*-])|(?<=:/)|(?<=file://)|(?<=[a-z]:))\Z", re.A | re.I)
_NOBODYS = words("accounts")
_ENDS = words("no_account_ends")
_WANTED = re.compile(r"(?:TODO|FIXME|XXX|HACK|NOTE)\(@?([A-Za-z][A-Za-z0-9._-]{1,31})\)(?=[:,; ]|$)", re.A | re.M)
_NOT_ACCOUNTS = words("tasks")
_HANDLE = re.compile(r"@([A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9]))(?![\w@/(=-]|\.\w)", re.A)
_HANDLE_IN_LINK = re.compile(  # [@joe](https://github.com/joe)
    r"@([A-Za-z0-9][A-Za-z0-9-]{0,38})\]\(https?://(?:github|gitlab|twitter|x)\.com/@?([A-Za-z0-9_-]{1,39})/?\)", re.A
)
_THANKED = re.compile(
    r"(?:\b(?:thanks|thank you|kudos|credits?|props|h/t|hat tip)(?:,?\s(?:to|go to))?[:,]?|\bcc:?|"
    r"[a-z]{2,11}\sby:?|-by:|\bauthors?:|\bmaintainers?:|\bowners?:|\bin #[0-9]{1,7} by)"
    r"\s{1,4}(?:@?[\w-]{1,39}(?:, | and |,? & )){0,5}\Z",
    re.I,
)
_THANKS = ("thank", "by", "cc", "author", "credit", "kudos", "props", "maintainer", "owner", "h/t", "hat tip")
_LINE = 100  # characters before a handle
_DOERS = words("verbs") | words("handle_verbs")
_THANKED_FOR = words("thanked_verbs")
_BY = re.compile(r"([a-z]{2,11})\sby:?\s", re.I)
_TAGS = words("tags")


def _home(text: str, at: int) -> Iterator[Finding]:
    found = _HOME.match(text, at) or _USERS.match(text, at)
    if found is None or not _ROOTED.search(text[max(at - 8, 0) : at]):
        return
    group = found.lastindex or 1
    account = found[group].lower()
    if account not in _NOBODYS and account.rpartition(".")[2] not in _ENDS and not found[group].isupper():
        yield Finding(found.start(group), found.end(group), "USERNAME", "home", 0.8)


def _wanted(text: str, at: int) -> Iterator[Finding]:
    found = _WANTED.match(text, at)
    if found and not text[at - 1 : at].isalnum() and found[1].lower() not in _NOT_ACCOUNTS and not found[1].isupper():
        yield Finding(found.start(1), found.end(1), "USERNAME", "todo", 0.7)


def _handle(text: str, at: int) -> Iterator[Finding]:
    link = _HANDLE_IN_LINK.match(text, at)
    if link and link[1].lower() == link[2].lower() and link[1].lower() not in _TAGS:
        yield Finding(link.start(1), link.end(1), "USERNAME", "handle", 0.9)
        yield Finding(link.start(2), link.end(2), "USERNAME", "handle", 0.9)
        return
    found = _HANDLE.match(text, at)
    if found is None or found[1].lower() in _TAGS:
        return
    line = text[max(at - _LINE, text.rfind("\n", max(at - _LINE, 0), at) + 1, 0) : at].lower()
    for word in _THANKS:  # any() takes twice as long, and every handle is asked
        if word in line:
            break
    else:
        return
    thanked = _THANKED.search(line)
    by = thanked and _BY.match(thanked[0])
    if thanked and (not by or by[1] in (_THANKED_FOR if found[1][0].isupper() else _DOERS)):
        yield Finding(found.start(1), found.end(1), "USERNAME", "handle", 0.7)


_HANDLE_ENDS = r"[a-z0-9-]+(?:[^\w@/(=.-]|\.[^\w])"

DETECTORS = (
    Detector("home", ("/home/", "/users/", "\\users\\", "\\\\users\\\\"), _home, near=(Near("after", ALPHANUMERIC),)),
    Detector("todo", ("todo(", "fixme(", "xxx(", "hack(", "note("), _wanted, near=(Near("after", ALPHANUMERIC + "@"),)),
    Detector(
        "handle",
        ("@",),
        _handle,
        near=(
            Near("after", ALPHANUMERIC, least=2, within=2),
            Near("before", " [(\t:,"),
            Near("before", ascii_letters + ":,&\\[(", within=2),
        ),
        around=(
            Around("(?:than|udos|by|cc|author|credit|props|maintainer|owner|h/t|hat tip)[^\n]*", _HANDLE_ENDS),
            Around("", "[a-z0-9-]+\\]\\(http"),
        ),
    ),
)
