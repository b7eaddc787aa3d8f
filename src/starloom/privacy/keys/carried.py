"""Keys by what carries them: JSON web tokens, headers, connection strings, signed addresses."""

from starloom.privacy.detector import Detector
from starloom.privacy.gibberish import is_random
from starloom.privacy.keys import checks
from starloom.privacy.keys.form import form
from starloom.privacy.placeholders import is_filler, stands_in

# What introduces a value: the end of a name, its quote, an operator, a quote.
GIVEN = r"[\"'`]?\s{0,4}(?:=>|:=|[=:,(])\s{0,4}[\"'`]?"
_WORD = r"[A-Za-z0-9_-]"
# The token that jwt.io shows
_KNOWN = "SflKxwRJSMeKKF2QT4fwpM"


def _token(value: str) -> bool:
    return checks.json_web_token(value) and _KNOWN not in value


def _pair(value: str) -> bool:
    """Whether it is base64 of a name, a colon and a password."""
    raw = checks.decoded(value) or b""
    user, colon, password = raw.partition(b":")
    if not (colon and password and user.isascii() and raw.isascii() and raw.decode().isprintable()):
        return False
    return not stands_in(password.decode()) and user.lower() != b"aladdin"  # RFC 7617


def _random_or_hex(value: str) -> bool:
    return any(one.isdigit() for one in value) and is_random(value) and not is_filler(value)


def _user_token(value: str) -> bool:
    """Whether what stands before `@` in an address is no name."""
    return any(one.isdigit() for one in value) and is_random(value)


DETECTORS: tuple[Detector, ...] = (
    form(
        "json-web-token",
        "eyj",
        rf"eyJ{_WORD}{{10,2000}}\.{_WORD}{{2,6000}}\.{_WORD}{{16,2000}}(?:\.{_WORD}{{2,2000}}){{0,2}}",
        _token,
        required=True,
    ),
    form(
        "bearer-token",
        ("bearer ",),
        r"(?i:bearer) {1,3}([A-Za-z0-9._~+/-]{16,2000}={0,2})",
        accept=_random_or_hex,
        confidence=0.9,
    ),
    form(
        "basic-credentials",
        ("basic ",),
        r"(?i:basic) {1,3}([A-Za-z0-9+/]{6,300}={0,2})(?![A-Za-z0-9+/=_.])",
        _pair,
        kind="PASSWORD",
        required=True,
    ),
    form(
        "authorization-token",
        "authorization",
        rf"(?i:authorization){GIVEN}(?:[Tt]oken|[Kk]ey|OAuth|ApiKey|Apikey) {{1,3}}(?:token=)?"
        r"[\"'\\]{0,2}([A-Za-z0-9._~+/-]{16,300}={0,2})",
        accept=_random_or_hex,
        confidence=0.9,
    ),
    form("docker-auth", '"auth"', r'"auth"\s{0,4}:\s{0,4}"([A-Za-z0-9+/]{8,400}={0,2})"', _pair, required=True),
    form(
        "address-token",
        "://",
        r"(?<!ssh)://([A-Za-z0-9_-]{20,255})(?::(?:x-oauth-basic)?)?@(?=[A-Za-z0-9])",
        accept=_user_token,
        start="",
        after="[A-Za-z0-9_:-]*@",
        confidence=0.9,
    ),
    form("azure-storage-key", "accountkey=", r"(?i:accountkey)=([A-Za-z0-9+/]{86}==)"),
    form("azure-shared-key", "sharedaccesskey=", r"(?i:sharedaccesskey)=([A-Za-z0-9+/]{43}=)"),
    form(
        "azure-signature",
        "sig=",
        r"(?i:sig)=([A-Za-z0-9+/]{43}=|[A-Za-z0-9]{1,43}(?:%2[BbFf][A-Za-z0-9]{0,43}){0,20}%3[Dd])",
    ),
    form("aws-signature", "x-amz-signature=", r"(?i:x-amz-signature)=([0-9a-f]{64})"),
    form(
        "wordpress-salt",
        "auth_key auth_salt in_key in_salt nonce_key nonce_salt authkey authsalt inkey insalt noncekey noncesalt",
        r"(?i:auth|in|nonce)_?(?i:key|salt)\w{0,8}[\"']?\]?\s{0,4}(?:,|=>|[=:])\s{0,20}[\"']([^\"'\n]{60,72})[\"']",
        accept=lambda value: "unique phrase" not in value and sum(not one.isalnum() for one in value) > 5,
        start="",
    ),
)
