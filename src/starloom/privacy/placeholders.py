"""What stands where a secret would: fillers, examples, variables."""

import re
from functools import lru_cache

_WORDS = re.compile(
    r"example|sample|dummy|placeholder|change_?-?me|replace|your[_-]|_here\b|x{5}|xxxx$|\*\*\*|\.\.\.|redacted|"
    r"insert|foobar|foo_bar|<[a-z]|goes.?here",
)
_REPEATED = re.compile(r"(.)\1{5}", re.S)
_COUNTED = "0123456789", "abcdefghijklmnopqrstuvwxyz", "9876543210", "zyxwvutsrqponmlkjihgfedcba"
_RUN = 8  # characters that follow one another
_COUNTS = frozenset(one[at : at + _RUN] for one in _COUNTED for at in range(len(one) - _RUN + 1))
_LONGEST = 96  # characters of a value that are looked at


_PARTS = frozenset(one[at : at + 4] for one in _COUNTED for at in range(len(one) - 3))


@lru_cache(1024)
def is_filler(value: str) -> bool:
    """Whether a key-like `value` only shows where a key would be: it says so, repeats, or counts.

    >>> is_filler("xxxxxxxxxxxxxxxxxxxx"), is_filler("0123456789abcdef")
    (True, True)
    """
    value = value[:_LONGEST].lower()
    return (
        _WORDS.search(value) is not None
        or _REPEATED.search(value) is not None
        or len(set(value)) < min(6, len(value) / 2)
        or _counts(value)
    )


def _counts(value: str) -> bool:
    """Whether eight characters in it count. Of every eight, four begin at a multiple of four."""
    return any(value[at : at + 4] in _PARTS for at in range(0, len(value), 4)) and any(
        value[at : at + _RUN] in _COUNTS for at in range(len(value) - _RUN + 1)
    )


_VARIABLE = re.compile(
    r"\$\{|\$\(|\{\{|\}\}|<%|%>|#\{|%F\{|\$[A-Za-z_]\w*\[|\{[A-Za-z_][\w.]*\}|\{\d*\}|%\([a-z]\w*\)s|"
    r"^\$+[A-Za-z_]\w*$|^%[A-Za-z_]+%?$|^%\w$|^@\w+@$|"
    r"^__\w+__$|^:\w+$|^<.*>$|^\[.*\]$|^&\w+;$|"
    r"^(?:process\.env|os\.environ|env|ENV|System\.getenv|getenv|config|settings|secrets|vars?|params|self|this)[.\[(]",
    re.S,
)


def is_variable(value: str) -> bool:
    """Whether a value is filled in later, from a variable or a template.

    >>> is_variable("${DB_PASSWORD}"), is_variable("pa$$word1")
    (True, False)
    """
    return _VARIABLE.search(value) is not None


# What everybody writes, so that it is nobody's
_STAND_INS = re.compile(
    r"pass|password|passwd|pwd|pw|pword|secret|token|key|user|username|foo|bar|baz|test|testing|testpw|"
    r"testpass|tester|example|passw0rd|mypass|mypassword|userpass|pass1|user1|oauth2|something|somepass|"
    r"anything|mismatch|incorrect|wrong|guest|admin|root|postgres|mysql|default|changeit|changeme|anonymous|"
    r"none|nobody|here|below|cancel|fail|failed|other|blank|empty|dummy|fake|sample|valid|invalid|correct|"
    r"strong|weak|simple|basic|digest|manual|auto|additional|echo|abc|abcd|qwerty|asdf|letmein|hunter|sekrit|"
    r"foo.?bar|bar.?baz|x-oauth-basic|x-oauth-token|hello|world|helloworld|welcome|demo|temp|tmp|whatever|login|"
    r"utf-?\d{0,2}|ascii|latin-?\d?|master|my|the|super|supersecret|topsecret",
    re.I,
)
LEET = str.maketrans("013457@$&", "oleastas ")  # figures and signs that stand for letters
_TAIL = re.compile(r"[0-9!@#$%^&*.?_ -]{0,12}\Z")


def stands_in(value: str) -> bool:
    """Whether a value is what everybody writes where a password would be, whatever figures and signs follow.

    >>> stands_in("p@ssw0rd1!"), stands_in("Tr0ub4dor&3")
    (True, False)
    """
    plain = _TAIL.sub("", value)
    return any(_STAND_INS.fullmatch(one) for one in (plain, plain.translate(LEET))) or is_filler(value)
