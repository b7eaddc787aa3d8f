"""Keys of no known form: random values that are given to a name which says key, secret or token.

A name is not enough, as `key` is what much code calls its indices, and a random value is not, as digests, ids and test
vectors are; both together are right often (bench/safety says how often). Skipped, after BigCode (pii_redaction.py of
bigcode-dataset): what is no longer than 8 characters, and what is made of words.
"""

import re
from collections.abc import Iterator

from starloom.privacy.assignments import Assigned, assigned, gate
from starloom.privacy.detector import Detector, Near
from starloom.privacy.finding import Finding
from starloom.privacy.gibberish import WORDY, bits, is_hex, is_random
from starloom.privacy.passwords import is_password
from starloom.privacy.placeholders import is_filler, is_variable

# Names of what is no secret, or not even a value
_PUBLIC = re.compile(
    r"public|pub_?key|publish|site_?key|key_?id|token_?id|keyid|access_?id|primary|foreign|keyboard|key_?code|"
    r"key_?(?:name|path|file|type|size|len|word|ring|space|frame|map|up|down|press|hash|url|uri|store|alias|prefix|"
    r"event|"
    r"usage|format|column|field|label|handle|algo|version|vault|pair_?name|pem$)|key(?:s|ed|stroke|note)$|"
    r"token_?(?:type|name|url|uri|endpoint|hash|path|file|len|count|limit|iz|kind|expir|class|ids|index|address|"
    r"contract|"
    r"account)|secret_?(?:name|path|file|arn|id|ref|version|store|url|type)|"
    r"(?:page|next|continuation|sync|change|cancel|design|text)_?token|cache|sort|index|monkey|turkey|hockey|whiskey|"
    r"donkey|fingerprint|checksum|digest|sha_?\d|md5|integrity|author(?!iz|is)|authentic|websocket|nonce|hotkey|"
    r"reg_?key|"
    r"registry|lookup|partition|idempot|dedup|resume|translat|i18n|locale|message_?key|mint|erc20|contract|"
    r"authn?z?_?(?:url|uri|type|method|domain|mode|provider|endpoint|server|path|flow|page)",
    re.I,
)
_STRONG = re.compile(
    r"secret|api_?-?key|access_?-?(?:key|token)|auth_?-?(?:key|token)|private_?-?key|encryption|signing|passphrase|"
    r"(?:^|[_.-])token|(?-i:[a-z0-9]Token(?:_?v?\d{1,2})?$)|credential|master_?key|app_?key|jwt|bearer|refresh|session_?key|license_?key|service_?key",
    re.I,
)
# Names whose values people make up, as they do passwords
_CHOSEN = re.compile(
    r"(?:secret|secret_?key|passphrase|(?:access|auth|api|bot|refresh|bearer|private|deploy|bearer)_?-?token)"
    r"(?:_?v?\d{1,2})?$",
    re.I,
)
_VALUE = re.compile(r"[!-~]{9,400}")
_DIGIT = re.compile(r"[0-9]")
_NO_KEY = re.compile(  # addresses, paths, calls, numbers, colors, digests, names of resources, public keys
    r"[a-z][a-z0-9+.-]{1,20}://|\.{0,2}/[a-z]{2,40}[/.]|\./|[a-z]:\\|data:|sha\d{1,3}[-:]|md5[-:]|[a-z_][\w.]*\(|"
    r"\d[\d.,:/-]*\Z|#[0-9a-f]{3,8}\Z|arn:|projects/|urn:|ssh-(?:rsa|ed25519|dss)|ecdsa-|(?-i:MI[IG][A-Z])|"
    r"\^|\(+\?|rgba?\(|-----",
    re.I,
)
_FILE = re.compile(
    r"\.(?:json|pem|key|py|js|ts|txt|ya?ml|html?|php|java|go|rb|com|org|net|io|dev|md|png|jpe?g|svg|css|crt|pub|xml|"
    r"ini|"
    r"conf)\Z|\s|\(\)",
    re.I,
)
_WORDS = re.compile(r"[A-Z]*[a-z]{4,}|[A-Z]+[a-z]{3,}", re.A)
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.I)


def _is_joined(value: str) -> bool:
    """Whether it is the name of a class or a function, of words and versions: `EsmFold2LayerNorm`."""
    words = sum(len(one) for one in _WORDS.findall(value))
    return words >= 0.6 * len(value) and bits(value) < WORDY + 1


def _is_chosen(given: Assigned, value: str) -> bool:
    """Whether a person may have chosen the value as a secret: in quotes, of letters and figures, and no stand-in."""
    return (
        given.how in ("quoted", "element", "inner")
        and _CHOSEN.search(given.name) is not None
        and any(one.isdigit() for one in value)
        and is_password(value, True)
    )


def _is_likely(value: str) -> bool:
    """Whether it may be a key at all, whatever its name: without a figure it has 15 characters, see is_random."""
    return _VALUE.fullmatch(value) is not None and (len(value) >= 15 or _DIGIT.search(value) is not None)


def _is_key(given: Assigned, value: str) -> bool:
    if _PUBLIC.search(given.name):
        return False
    strong = _STRONG.search(given.name) is not None
    if _UUID.fullmatch(value):
        return strong and not is_filler(value)
    if not strong and (len(value) < 20 or given.how != "quoted" or not (is_hex(value) or bits(value) > WORDY)):
        return False
    if given.how in ("bare", "option", "listed") and len(value) < 16:
        return False
    if len(value) < 12 and (bits(value) <= WORDY + 1 or sum(one.isdigit() for one in value) < 2):
        return False
    if is_filler(value) or is_variable(value) or not (is_random(value) or _is_chosen(given, value)):
        return False
    if given.how != "quoted" and value.isidentifier() and _is_joined(value):
        return False
    return not (_NO_KEY.match(value) or _FILE.search(value))


def _find(text: str, at: int) -> Iterator[Finding]:
    given = assigned(text, at, _is_likely)
    if given and _is_key(given, text[given.start : given.end]):
        yield Finding(given.start, given.end, "KEY", "assigned-key", 0.8 if _STRONG.search(given.name) else 0.6)


GATE = gate("[^NEVER0-9]", "[0-9]", 8)  # see _is_likely

# All names with "auth" in them but such as say "author": that is public, and half of the anchors.
_AUTH = (
    (("authoriz", "authoris"), ()),
    (("autho",), (Near("after", "rR", wanted=False),)),
    (("auth",), (Near("after", "oO", wanted=False),)),
)

DETECTORS: tuple[Detector, ...] = (
    Detector("assigned-key", ("key", "secret", "token", "credential", "passphrase"), _find, around=GATE),
    *(Detector(f"assigned-key, {anchors[0]}", anchors, _find, near, GATE) for anchors, near in _AUTH),
)
