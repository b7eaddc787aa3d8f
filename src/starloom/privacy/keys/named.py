"""Keys without a form of their own, by the name of their provider: so long, of such characters, given to a name in
which the provider's stands (`HEROKU_API_KEY`, `dd_app_key:`, `"algolia": {"adminKey": …`), or near it.
"""

import re
from collections.abc import Iterator

from starloom.privacy.assignments import assigned
from starloom.privacy.detector import Detector
from starloom.privacy.finding import Finding
from starloom.privacy.gibberish import WORDY, bits, is_hex, is_random
from starloom.privacy.keys.assigned import GATE
from starloom.privacy.placeholders import is_filler

_UUID = r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"
_HEX32 = r"[0-9a-f]{32}"
_HEX40 = r"[0-9a-f]{40}"
_SECRET = re.compile(r"key|token|secret|pass|auth|cred|pwd|sid", re.I)
_PUBLIC = re.compile(r"public|publish|site_?key|client_?id|key_?id|app_?id|project_?id", re.I)

# name, anchors, value
PROVIDERS = (
    ("heroku-api-key", "heroku", _UUID),
    ("datadog-key", "datadog dd_api dd_app dd-api dd-app", rf"{_HEX32}|{_HEX40}"),
    ("cloudflare-key", "cloudflare cf_api cf-api cf_token cf_key", r"[0-9a-f]{37}|[A-Za-z0-9_-]{40}"),
    ("algolia-key", "algolia", _HEX32),
    ("twilio-auth-token", "twilio", rf"(?:SK|AC)?{_HEX32}"),
    ("linkedin-secret", "linkedin", r"[A-Za-z0-9]{16}"),
    ("facebook-secret", "facebook fb_app fb_secret", _HEX32),
    ("twitter-secret", "twitter consumer", r"[A-Za-z0-9]{25}|[A-Za-z0-9]{35,50}|\d{6,20}-[A-Za-z0-9]{30,45}"),
    ("okta-token", "okta", r"00[A-Za-z0-9_-]{40}"),
    ("snyk-token", "snyk", _UUID),
    ("azure-devops-token", "azure devops ado_pat vsts", r"[a-z2-7]{52}|[A-Za-z0-9]{84}"),
    ("plaid-secret", "plaid", r"[0-9a-f]{30}"),
    ("mailgun-api-key", "mailgun", r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}"),
    ("asana-token", "asana", r"[0-9a-f]{32}|\d/\d{10,20}:[0-9a-f]{32}"),
    ("zendesk-token", "zendesk", r"[A-Za-z0-9]{40}"),
    ("travis-token", "travis", r"[A-Za-z0-9_-]{22}"),
    ("codecov-token", "codecov", rf"{_UUID}|{_HEX32}"),
    ("coveralls-token", "coveralls", r"[A-Za-z0-9]{33}"),
    ("fastly-token", "fastly", r"[A-Za-z0-9_-]{32}"),
    ("bitly-token", "bitly", _HEX40),
    ("dropbox-secret", "dropbox", r"[a-z0-9]{15}"),
    ("trello-token", "trello", r"[0-9a-f]{32}|[0-9a-f]{64}|ATTA[0-9a-fA-F]{72}"),
    ("opsgenie-key", "opsgenie", _UUID),
    ("pagerduty-token", "pagerduty", r"[A-Za-z0-9+_-]{20}|[0-9a-f]{32}"),
    ("rollbar-token", "rollbar", _HEX32),
    ("launchdarkly-key", "launchdarkly sdk- api- mob-", rf"(?:sdk|api|mob)-{_UUID}"),
    ("airtable-token", "airtable", r"key[A-Za-z0-9]{14}|pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    ("netlify-token", "netlify", r"[A-Za-z0-9_-]{40,46}"),
    ("confluent-secret", "confluent", r"[A-Za-z0-9+/]{64}"),
    ("openweather-key", "openweather owm_ weather", _HEX32),
    ("infura-key", "infura", _HEX32),
    ("alchemy-key", "alchemy", r"[A-Za-z0-9_-]{32}"),
    ("etherscan-key", "etherscan", r"[A-Z0-9]{34}"),
    ("postmark-token", "postmark", _UUID),
    ("spotify-secret", "spotify", _HEX32),
    ("square-token", "square", r"EAAA[A-Za-z0-9_-]{60}"),
    ("paypal-secret", "paypal", r"E[A-Za-z0-9_-]{79}"),
    ("aws-secret-access-key", "aws secret_access secretaccess secret_key", r"[A-Za-z0-9/+]{40}"),
)


def _named(name: str, anchors: str, pattern: str) -> Detector:
    value = re.compile(pattern, re.A)

    def find(text: str, at: int) -> Iterator[Finding]:
        given = assigned(text, at)
        if given is None or (given.how == "listed" and given.operator == "("):
            return
        if not _SECRET.search(given.name) or _PUBLIC.search(given.name):
            return
        match = value.fullmatch(text, given.start, given.end)
        if match and (pattern.startswith(_UUID) or is_random(match[0])) and not is_filler(match[0]):
            yield Finding(given.start, given.end, "KEY", name, 0.9)

    return Detector(name, tuple(anchors.split(" ")), find, around=GATE)


_AWS_ID = re.compile(r"(?<![A-Za-z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Za-z0-9])")
_AWS_SECRET = re.compile(r"(?<![A-Za-z0-9/+=_-])[A-Za-z0-9/+]{40}(?![A-Za-z0-9/+=_-])")
_NEAR = 300  # characters between an access key's id and its secret, at most


def _beside_aws_id(text: str, at: int) -> Iterator[Finding]:
    """Forty characters of the secret's alphabet, random, near an access key id."""
    if _AWS_ID.match(text, at):
        for secret in _AWS_SECRET.finditer(text, max(at - _NEAR, 0), at + _NEAR):
            value = secret[0]
            if (
                not is_hex(value)
                and not is_filler(value)
                and bits(value) > WORDY
                and any(one.isdigit() for one in value)
            ):
                yield Finding(secret.start(), secret.end(), "KEY", "aws-secret-beside-id", 0.95)


DETECTORS: tuple[Detector, ...] = (
    *(_named(*row) for row in PROVIDERS),
    Detector("aws-secret-beside-id", ("akia", "asia"), _beside_aws_id),
)
