"""Passwords: given to a name that says so, in addresses (`scheme://user:password@host`), connection strings, .netrc;
and their hashes, which can be guessed at.

Skipped, after BigCode (pii_redaction.py of bigcode-dataset): what is no longer than three characters. Skipped too:
plain words, which are nobody's in tests and examples more often than somebody's (`swordfish`, `secret1`, `p@ssw0rd`);
what names a field, a type, a variable or a message to a person. Without quotes only what is no code: a whole line of a
settings file, a part of a connection string.
"""

import re
from collections.abc import Iterator
from urllib.parse import unquote

from starloom.privacy.assignments import Assigned, assigned, gate
from starloom.privacy.detector import Detector
from starloom.privacy.finding import Finding
from starloom.privacy.gibberish import WORDY, bits
from starloom.privacy.keys.form import form
from starloom.privacy.placeholders import LEET, is_variable, stands_in

# Names that say password but are given something else
_OTHER = re.compile(
    r"(?:pass(?:word|wd)?|pwd)s?\d?_{0,2}-?(?:hashing|startswith|endswith|contains|exact|type|name|field|label|hint|"
    r"file|"
    r"path|url|uri|length|len|min|max|size|policy|reset|confirm|strength|input|placeholder|text(?!$)|message|msg|error|"
    r"prompt|title|encoder|hasher|algo|regex|pattern|rule|valid|expir|change|manager|store|link|route|view|form|page|"
    r"id$|"
    r"key$|env|var|column|col$|attr|property|prop$|param|arg|option|opt$|auth|required|protect|less|mode|char|mask|"
    r"grant|"
    r"class|selector|locator|xpath|css|ref|secret_?name)|"
    r"forgot|reset_?pass|lost_?pass|no_?pass|ask_?pass|show_?pass|hide_?pass|is_?pass|has_?pass|use_?pass|need|invalid|"
    r"wrong|incorrect|bypass|compass|passive|passenger|passport|getcwd|(?-i:^\$*(?:OLD)?PWD$)|"
    r"\.(?:text|label|title|caption|name|tooltip|header)$",
    re.I,
)
_NAME = re.compile(
    r"pass(?:word|wd|phrase|wort)|passwd|pwd|(?:^|[_.-])pw(?:$|[_.-])|(?:(?:^|[_.-])pass|(?-i:[a-z0-9]Pass))(?:_?v?\d{1,2})?$|senha|"
    r"contrase",
    re.I,
)
# Values that are no passwords: what the field is called, of which type it is, what is to be done
_WORD = re.compile(
    r"passwor[dt]|passwd|pass|pwd|contrase|senha|kennwort|mot_?de|parol|secret|hasło|haslo|heslo|wachtwoord|lozinka|"
    r"sifre|"
    r"şifre|user|login|string|hidden|required|enter|invalid|confirm|forgot|field|input|token|value|config|setting|"
    r"none|"
    r"null|undefined|oauth\d?|bearer|bcrypt|crypt|md\d|sha\d|true|false|text|varchar|prompt|plain|encrypt|hash|your|"
    r"example|e-?mail|default|schema|label|error|button|min:",
    re.I,
)
_CODE = re.compile(
    r"^[#.][A-Za-z_-]+$|^[\^~<>=v]{0,3}\d+(?:\.\d+)+$|^//|^\w+://|^\w+(?:\.\w+)+$|^\W+$|:$|^magnet:|\(\)|\[\]|"
    r"^[\[({]|=>|->|::|^[/\\]|^\w+\(|\\[ux]|"
    r"\.(?:txt|json|html|php|py|js|key|pem|ya?ml|conf|cfg|ini)$"
)
_NAMES = re.compile(r"[a-z]+(?:[A-Z][a-z]+)+\Z|[a-z]+(?:[_-][a-z]+)+\Z|[A-Z]+(?:_[A-Z0-9]+)+\Z")
_SIGN = re.compile(r"[!#$%^*?+~]|\w@\w")
_SPACE = re.compile(r"\s")


def is_password(value: str, quoted: bool) -> bool:
    """Whether a value can be a password and nothing else: see the docstring at the top.

    >>> is_password("Tr0ub4dor&3", True), is_password("swordfish", True), is_password("getPassword()", False)
    (True, False, False)
    """
    if not 4 <= len(value) <= 128 or _SPACE.search(value) or is_variable(value) or _CODE.search(value):
        return False
    random = bits(value) > WORDY
    if stands_in(value) or (_NAMES.match(value) and not random):
        return False
    digits = sum(one.isdigit() for one in value)
    letters = sum(one.isalpha() for one in value)
    if digits == len(value):
        return quoted
    if letters == len(value):
        return random and letters > 7 and value.isascii() and not _WORD.search(value)
    core = _WORD.sub("", value.translate(LEET) if quoted else value)
    if not digits:
        return letters > 2 and len(core) == len(value) and (random or (quoted and value.isascii()))
    if not letters:
        return quoted
    return len(core) > 3 and (quoted or random or _SIGN.search(value) is not None)


def _of(given: Assigned) -> bool:
    return _NAME.search(given.name) is not None and not _OTHER.search(given.name)


_ARGUMENT = re.compile(r"\$\d")
_COMPARED = ("==", "===", "!=", "!==")


def _is_likely(value: str) -> bool:
    """Whether it may be a password at all, whatever its name: of letters alone it has 8, see is_password."""
    return len(value) > 7 or not value.isalpha()


def _find(text: str, at: int) -> Iterator[Finding]:
    given = assigned(text, at + (text[at] in " \"'*"), _is_likely)
    if given is None or not _of(given):
        return
    value = text[given.start : given.end]
    strong = any(one.isdigit() for one in value) and any(one.isalpha() for one in value)
    if given.operator == "to" and (given.name.lower() == "pass" or not _in_prose(text, given)):
        return
    if given.operator == "|":
        good = strong and is_password(value, given.how == "listed")
    elif given.how in ("quoted", "element", "inner"):
        good = is_password(value, True) and (strong or given.operator not in _COMPARED)
    elif given.how == "listed" and (
        given.name.lower() in ("pass", "pwd", "pw")
        or (given.name.isupper() and value.isupper() and value.isidentifier())
    ):
        good = False  # a constructor, in compilers; a list of verdicts, of constants
    elif given.how == "listed":
        good = (strong and is_password(value, True) and not value.isidentifier()) or (strong and bits(value) > WORDY)
    elif given.how == "line":
        good = is_password(value, False) or (strong and _is_setting(text, given) and is_password(value, True))
    elif given.operator in ("to", "is"):
        good = strong and given.name.lower() != "pass" and is_password(value, False)
    elif given.how == "option":
        good = strong and is_password(value, True) and not _ARGUMENT.search(value)
    else:
        good = is_password(value, True) if _in_connection(text, given) else strong and _remarked(text, given, value)
    if good:
        yield Finding(given.start, given.end, "PASSWORD", "assigned-password", 0.9 if strong else 0.6)


_REMARK = re.compile(r"(?:#|//|/?\*|--|<!--)[ \t]{1,8}\Z")


def _remarked(text: str, given: Assigned, value: str) -> bool:
    """Whether it stands in a comment, and more after it: `# password: … (old)`."""
    first = text.rfind(given.name, max(given.start - 60, 0), given.start)
    return (
        text[given.end : given.end + 1] in (" ", "\t")
        and _REMARK.search(text, max(first - 12, 0), first) is not None
        and _SIGN.search(value) is not None
        and is_password(value, False)
    )


_SETS = re.compile(r"\b(?:set|change|reset|update)\b[^\n]{0,12}\Z", re.I)


def _in_prose(text: str, given: Assigned) -> bool:
    """Whether a sentence says that it is to be the password: `Set password to …`."""
    first = text.rfind(given.name, max(given.start - 60, 0), given.start)
    return _SETS.search(text, max(first - 20, 0), first) is not None


def _is_setting(text: str, given: Assigned) -> bool:
    """Whether the line is one of a settings file: in code a bare value is a variable's name."""
    return text.startswith("=", given.start - 1) and (given.name.isupper() or "." in given.name)


_PAIR = re.compile(r";\s?\Z")
_AFTER = re.compile(r";\s?[A-Za-z][\w ]{1,30}=|;?\\?[\"']")


def _in_connection(text: str, given: Assigned) -> bool:
    """Whether a bare value is a member of a connection string: `…;Password=…;…`."""
    first = given.start - 1 - len(given.name)
    return (
        given.operator == "="
        and _PAIR.search(text, max(first - 2, 0), first) is not None
        and _AFTER.match(text, given.end) is not None
    )


def _written_out(value: str) -> bool:
    return not stands_in(value) and not is_variable(value)


def _address(value: str) -> bool:
    value = unquote(value)
    return is_password(value, True) and not value.startswith(("$", "%", "{", ":", "*"))


DETECTORS: tuple[Detector, ...] = (
    Detector(
        "assigned-password",
        ("pass", "pwd", "_pw", "-pw", " pw", '"pw"', "'pw'", "*pw", "senha", "contrase"),
        _find,
        around=gate("[a-z]", "[^NEVERa-z]", 8),  # see _is_likely
    ),
    form(
        "address-password",
        "://",
        r"://[^\s:/@?#\"'`<>\\,;(){}]{0,64}:([^\s/?\"'`<>\\,]{4,128})"
        r"@(?=[A-Za-z0-9\[$%{_])(?!(?:[\w-]{1,60}\.){0,3}example\b)",
        accept=_address,
        kind="PASSWORD",
        start="",
        after=r"[^\s/?\"'`<>\\,]*@",
        confidence=0.9,
    ),
    form(
        "sql-password",
        ("identified by",),
        r"(?i:identified by) (?:(?i:password|values?) )?[\"']([^\"'\n]{4,100})[\"']",
        accept=lambda value: is_password(value, True),
        kind="PASSWORD",
    ),
    form(
        "netrc-password",
        ("machine ",),
        r"machine\s+[\w.:-]{1,100}\s+login\s+\S{1,100}\s+password\s+([^\s\\\"']{4,100})",
        accept=_written_out,
        kind="PASSWORD",
    ),
    form(
        "crypt-hash",
        "$2a$ $2b$ $2x$ $2y$ $1$ $5$ $6$ $apr1$ $argon2 $y$ $p$ $h$ $scrypt",
        r"(?:\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}|\$(?:1|apr1)\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{22}|"
        r"\$5\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{43}|"
        r"\$6\$(?:rounds=\d{1,9}\$)?[./A-Za-z0-9]{1,16}\$[./A-Za-z0-9]{86}|\$[PH]\$[./A-Za-z0-9]{31}|"
        r"\$y\$[./A-Za-z0-9]{1,8}\$[./A-Za-z0-9]{1,86}\$[./A-Za-z0-9]{43}|"
        r"\$argon2(?:i|d|id)\$v=\d{1,3}\$[a-z0-9=,]{5,60}\$[A-Za-z0-9+/]{8,90}\$[A-Za-z0-9+/]{16,100})"
        r"(?![./A-Za-z0-9])",
        kind="PASSWORD",
    ),
    form(
        "pbkdf2-hash",
        "pbkdf2_sha pbkdf2:sha scrypt:#",
        r"(?:pbkdf2_sha(?:1|256|512)\$\d{1,8}\$[A-Za-z0-9+/]{4,60}\$[A-Za-z0-9+/=]{20,100}|"
        r"pbkdf2:sha\d{1,3}(?::\d{1,8})?\$[A-Za-z0-9]{4,40}\$[0-9a-f]{40,128}|"
        r"scrypt:\d{1,8}:\d:\d\$[A-Za-z0-9]{4,40}\$[0-9a-f]{64,128})",
        kind="PASSWORD",
    ),
    form("ldap-hash", "{sha} {ssha}", r"\{S?SHA\}[A-Za-z0-9+/]{27,60}={0,2}", kind="PASSWORD"),
)
