"""E-mail addresses, plain, escaped for another language, and written in words.

`joe\\@host.org` (Perl), `joe@@host.org` (Texinfo), `joe%40host.org` (URL), `joe&#64;host.org` (HTML) and
`joe (at) host (dot) org` are addresses as `joe@host.org` is.
Not found, because they are nobody's: what stands at a reserved name (RFC 2606, RFC 6761: example.com, *.test, …) and
the likes of you@yourdomain.com; hiding them would only make tests and documentation worse. Not addresses: versions of
packages (`left-pad@1.3.0`), names of pictures (`logo@2x.png`), remote repositories (`git@host.org:owner/name.git`),
logins in URLs (`ssh://joe@host.org`), identifiers of messages, names of SSH algorithms, expressions (`a@b.dot(c)`).
An address in a copyright notice is found, as in the paper; the name beside it stands (see names). The last part of the
domain must be one of top_level_domains.txt. Cost: constant for each `@`.
"""

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources

from starloom.privacy.detector import ALPHANUMERIC, NOT_ASCII, WORD, Around, Detector, Near
from starloom.privacy.finding import Finding
from starloom.privacy.word_lists import words

_LETTER = "A-Za-z0-9À-ÖØ-öø-ɏ"
_LONGEST = 64  # characters of a local part (RFC 5321)
_WORD = 80  # characters of what stands without a space before or after the sign; where it has more it is long
_LOCAL = re.compile(rf"[{_LETTER}._+-]{{1,{_LONGEST + 1}}}(?:'[oOdD](?![{_LETTER}]))?")  # backwards
_SIGN = re.compile(r"(?<!@)(\\?)(@@?(?!@)|%40|&#64;|&#x40;|&commat;)", re.I)
_LABEL = rf"[{_LETTER}](?:[{_LETTER}-]{{0,61}}[{_LETTER}])?"
_DOMAIN = re.compile(
    rf"(?:{_LABEL}\.){{1,8}}(?:xn--[A-Za-z0-9-]{{1,59}}|[A-Za-z]{{2,24}})(?![{_LETTER}]|_+[{_LETTER}])"
)
_IN_URL = re.compile(r"[^\s/?#\"'<>]*")
_PATH = re.compile(r":(?=[\w~/.%$-])[\w~.%$-]{0,64}(?:/|\.git\b)", re.A)  # of scp, rsync, git, cvs
_ESCAPE = re.compile(r"(?:\\(?:u00[0-9a-f]{2}|x[0-9a-f]{2}|[nrtfvab0])|%[0-9a-f]{2})", re.I)
_ROUTE = re.compile(r"(?<![\w%])[A-Za-z0-9._-]{2,}%\Z", re.A)  # joe%inner@outer, of old networks
_MESSAGE = re.compile(r"\b(?:message|content|msg)-?id\b|in-reply-to|\breferences\b|\bcid:\Z")
_ALGORITHMS = frozenset({"openssh.com", "libssh.org", "ssh.com", "lysator.liu.se", "putty.projects.tartarus.org"})
_OF_ALGORITHMS = frozenset({"keepalive", "statvfs", "fstatvfs", "hardlink", "fsync", "lsetstat", "zlib", "eow"})
_VERSIONING = frozenset({"git", "hg", "svn", "cvs", "anoncvs", "anonymous"})
_HOSTING = re.compile(
    r"(?:^|\.)(?:git|hg|svn|cvs|ssh|vcs)[a-z-]*\.|bitbucket|codeberg|sr\.ht|launchpad|sourceforge|visualstudio"
)
_NO_CALLS = words("no_calls")
_VERSION = re.compile(r"\d+\.\d+\.|\d(?:\.\d)?x\.")  # 1.2.rc, 2x.ai

_RESERVED = frozenset({"example", "test", "invalid", "localhost", "local", "localdomain", "internal", "onion"})
_NOBODYS = re.compile(
    r"(?:^|\.)(?:example|(?:your|my|our|some|any|other|the)-?(?:own)?-?(?:domain|company|host|site|server|email|mail|org|"
    r"organi[sz]ation|provider|isp|name|website|work)(?:-?name)?|domain|somewhere|someplace|placeholder|foobar|xxx+)"
    r"(?:\.(?:com?|org|net|edu|gov|ac))?\.[a-z-]+$"
)
_ANYBODY = words("anybody")
_ANYWHERE = re.compile(
    r"(?:foo|bar|baz|foobar|test|testing|tests|email|e-mail|mail|address|company|corp|host|server|site|website|provider|"
    r"a|b|c|x|y|z|aa|bb|abc|xyz|xxx|xx|yyy|zzz|blah|bla|acme|me|you|doe|smith|fake|dummy|sample|demo|user|name|there|here|"
    r"business|organization|work|home|isp|qux|quux|some|any|hello|world|123|1234)\.(?:[a-z]{2,4}|test|tld)"
)


@cache
def _top_level() -> frozenset[str]:
    lines = resources.files("starloom.privacy").joinpath("top_level_domains.txt").read_text("utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def _email(text: str, at: int) -> Iterator[Finding]:
    before = text[at - _WORD if at > _WORD else 0 : at]
    if not before or before[-1].isspace():
        return
    before = before.rsplit(None, 1)[-1]
    after = text[at : at + _WORD].split(None, 1)[0]
    if len(before) < _WORD and len(after) < _WORD:
        first, found = at - len(before), _in_word(before + after, len(before))
    else:
        first, found = 0, _in(text, at)
    if found is not None and not _is_referred_to(text, first + found[0]):
        yield Finding(first + found[0], first + found[1], "EMAIL", "email", 0.95)


def _in(text: str, at: int) -> tuple[int, int] | None:
    """Where the address begins and ends that has the sign at `at`. Told by what stands around it without a space."""
    sign = _SIGN.match(text, at - 1 if text[at - 1 : at] == "\\" else at)
    if sign is None:
        return None
    at = sign.start()
    start = _local(text, at)
    end = _domain(text, sign.end())
    if start is None or end is None:
        return None
    if text[start] == "_" and text[end : end + 1] == "_":
        start += 1  # emphasis
    local, domain = text[start:at], text[sign.end() : end].lower()
    if _is_nobodys(local.lower(), domain) or _is_something_else(text, start, end, local, domain):
        return None
    return start, end


_in_word = lru_cache(1 << 12)(_in)  # a list of changes has the same few addresses over and over


def _local(text: str, end: int) -> int | None:
    """Where the local part that ends at `end` begins."""
    run = _LOCAL.match(text[max(end - _LONGEST - 3, 0) : end][::-1])
    if run is None:
        return None
    start = end - run.end()
    if end - start > _LONGEST and text[start] != "'":
        return None  # not an address: a long word
    before = text[start - 1 : start]
    if before in ("\\", "%"):  # what looks like a part of it is the end of an escape
        escape = _escape(text, start - 1, end)
        if escape is None and before == "%":
            route = _ROUTE.search(text, max(start - 32, 0), start)
            if route is None or end - start < 2:
                return None  # %s@host.org
            start = route.start()
        start = escape or start
    elif before == "$":
        return None  # a variable
    start = max(start, text.rfind("..", start, end) + 2) if ".." in text[start:end] else start
    while start < end and text[start] in "._+-" and not (text[start] == "_" and text[start - 1 : start] != "_"):
        start += 1
    return start if start < end and text[end - 1] != "." else None


def _escape(text: str, at: int, end: int) -> int | None:
    r"""Where the escape (`\n`, `\u003c`, `%3C`) that begins at `at` ends."""
    for size in (6, 4, 3, 2):
        if at + size < end and _ESCAPE.fullmatch(text, at, at + size):
            return at + size
    return None


def _domain(text: str, start: int) -> int | None:
    """Where the domain that begins at `start` ends."""
    found = _DOMAIN.match(text, start)
    if found is None:
        return None
    end = found.end()
    if text[text.rfind(".", start, end) + 1 : end].lower() in _top_level():
        return end
    # "write to joe@host.org.Then": the sentence that follows is not the domain's
    last = text.rfind(".", start, end)
    before = text.rfind(".", start, last)
    return last if text[last + 1].isupper() and before > 0 and text[before + 1 : last].lower() in _top_level() else None


def _is_nobodys(local: str, domain: str) -> bool:
    last = domain.rpartition(".")[2]
    if last in _RESERVED or _NOBODYS.search(domain):
        return True
    if local == "ll" and domain == "li.org":
        return True  # of gettext's template
    return local in _ANYBODY and (_ANYWHERE.fullmatch(domain) is not None or domain.partition(".")[0] == local)


def _is_something_else(text: str, start: int, end: int, local: str, domain: str) -> bool:
    first, _, rest = domain.partition(".")
    if (len(local) == 1 and len(first) == 1) or rest == "target" or _VERSION.match(domain):
        return True  # a matrix product, a unit of systemd, a version or a picture of twice the size
    after = text[end : end + 1]
    last = text[end - len(rest.rpartition(".")[2]) : end]
    if (after == "(" or last.istitle()) and last.lower() not in _NO_CALLS:
        return True  # a call, a pattern of Haskell or Scala
    if after == ":" and _PATH.match(text, end):
        return True
    if local in _VERSIONING and _HOSTING.search(domain):
        return True
    if domain in _ALGORITHMS and ("-" in local or local in _OF_ALGORITHMS):
        return True
    return _is_in_url(text, start) or _is_made(local, domain)


def _is_in_url(text: str, start: int) -> bool:
    """Whether a login of a URL, or a password, stands before the sign."""
    scheme = text.rfind("://", max(start - 128, 0), start)
    return (
        scheme >= 0
        and not text.endswith("mailto", 0, scheme)
        and _IN_URL.fullmatch(text, scheme + 3, start) is not None
    )


def _is_made(local: str, domain: str) -> bool:
    """Whether a machine has made it, as the identifier of a message, which looks like an address."""
    digits = sum(one.isdigit() for one in local) if len(local) >= 16 else 0
    return (digits >= 10 and not domain.startswith("users.noreply.")) or (
        len(local) > 40 and domain == "mail.gmail.com"
    )


def _is_referred_to(text: str, start: int) -> bool:
    """Whether its line says before that it is the identifier of a message."""
    first = start - 120 if start > 120 else 0
    line = text[max(first, text.rfind("\n", first, start) + 1) : start].lower()
    return ("id" in line or "re" in line) and _MESSAGE.search(line) is not None


_AT_WORD = re.compile(r"\s{0,2}[(\[{<] ?at ?[)\]}>]\s{0,2}", re.I)
_BACK_WORDS = re.compile(
    r"[A-Za-z0-9._+-]{1,64}(?:(?: tod |[)\]}>]tod[(\[{<])[A-Za-z0-9_+-]{1,40}){0,2}(?![A-Za-z0-9])", re.I
)
_DOT = r"(?:\.|\s?[(\[{<]\s?dot\s?[)\]}>]\s?|\sdot\s)"
_DOT_WORDS = re.compile(rf"(?:[A-Za-z0-9][A-Za-z0-9-]{{0,40}}{_DOT}){{1,4}}[A-Za-z]{{2,24}}(?![A-Za-z0-9])", re.I)
_LOOK = words("before_at")
_ARTICLES = frozenset({"the", "a", "an", "each", "every", "this", "that", "its"})


def _email_in_words(text: str, at: int) -> Iterator[Finding]:
    plain = text[at] == " "  # joe at host dot org
    if plain:
        sign_start = max(text.rfind(word, max(at - 60, 0), at + 1) for word in (" at ", " AT ", " At "))
        sign_end = sign_start + len(" at ")
    else:
        sign = _AT_WORD.match(text, max(at - 1, 0) if text[at - 1 : at] == " " else at)
        sign_start, sign_end = sign.span() if sign else (-1, -1)
    if sign_start < 0:
        return
    local = _BACK_WORDS.match(text[max(sign_start - 150, 0) : sign_start][::-1])
    domain = _DOT_WORDS.match(text, sign_end)
    if local is None or domain is None or (plain and domain.end() < at):
        return
    start = sign_start - local.end()
    words = re.sub(_DOT, ".", domain[0], flags=re.I).lower().split(".")
    name = text[start:sign_start].lower()
    if words[-1] not in _top_level() or (plain and (name in _LOOK or words[0] in _ARTICLES)):
        return
    if not _is_nobodys(name, ".".join(words)):
        yield Finding(start, domain.end(), "EMAIL", "email-in-words", 0.9)


def _email_in_html(text: str, at: int) -> Iterator[Finding]:
    at -= len("&#")
    return _email(text, at) if at >= 0 and text[at] == "&" else iter(())


_BEFORE = Near("before", WORD + "+-\\" + NOT_ASCII)
_AFTER = Near("after", ALPHANUMERIC + "@" + NOT_ASCII)
_HOST = "@?[^\0-,/:-@\\[-`{-\x7f]+\\."  # a label and the dot after it

DETECTORS = (
    Detector("email", ("@", "%40", "&commat;"), _email, near=(_BEFORE, _AFTER), around=(Around(after=_HOST),)),
    Detector("email-in-html", ("64;", "x40;"), _email_in_html, near=(Near("before", "#"), _AFTER)),  # &#64;
    Detector(
        "email-in-words",
        ("(at)", "[at]", "{at}", "<at>", "( at )", "[ at ]", " dot "),
        _email_in_words,
        near=(Near("before", ALPHANUMERIC + "_ "), Near("after", ALPHANUMERIC + " ")),
    ),
)
