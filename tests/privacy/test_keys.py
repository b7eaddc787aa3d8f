"""Tokens of providers, private keys, what carries keys, and keys that are assigned. Each is drawn here, from a seed and
in parts, so that no scanner of this repository takes one for somebody's."""

import base64
import json
import random
import string
import zlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.find import find_in
from starloom.privacy.keys import DETECTORS, checks

DRAW = random.Random(8)
SECRET = "x9Kq2LmZ8vRt" + "4WpYb7Nc3HdF"
PLAIN = string.ascii_letters + string.digits
WORD = PLAIN + "_-"
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
B32 = string.ascii_uppercase + "234567"


def plain(length: int, alphabet: str = PLAIN) -> str:
    """Ends in letters and figures, as a token that is found by its end must."""
    return (
        "".join(DRAW.choices(alphabet, k=length - 2)) + "a7"
        if alphabet in (PLAIN, WORD, LOWER)
        else word(length, alphabet)
    )


def word(length: int, alphabet: str = WORD) -> str:
    return "".join(DRAW.choices(alphabet, k=length))


def hexa(length: int) -> str:
    return word(length, HEX)


def uuid() -> str:
    return "-".join(hexa(length) for length in (8, 4, 4, 4, 12))


def base62(number: int) -> str:
    digits = ""
    for _ in range(6):
        number, digit = divmod(number, 62)
        digits = (string.digits + string.ascii_uppercase + string.ascii_lowercase)[digit] + digits
    return digits


def with_crc(prefix: str) -> str:
    body = plain(30)
    return prefix + body + base62(zlib.crc32(body.encode()))


def encoded(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode().rstrip("=")


def grafana() -> str:
    head = "glsa" + "_" + plain(32)
    return head + "_" + zlib.crc32(head.encode()).to_bytes(4, "little").hex()


TOKENS = [
    ("github-token", with_crc("ghp" + "_")),
    ("github-token", with_crc("gho" + "_")),
    ("github-token", with_crc("ghs" + "_")),
    ("github-token", with_crc("ghu" + "_")),
    ("github-token", with_crc("ghr" + "_")),
    ("github-token-long", "ghs" + "_" + plain(60)),
    ("github-fine-grained-token", "github" + "_pat_" + plain(22) + "_" + plain(59)),
    ("gitlab-token", "glpat" + "-" + plain(20)),
    ("gitlab-token", "glpat" + "-" + plain(27) + ".01." + plain(9, LOWER)),
    ("gitlab-token", "gldt" + "-" + plain(20)),
    ("gitlab-trigger-token", "glptt" + "-" + hexa(40)),
    ("gitlab-runner-registration", "GR1348941" + plain(20)),
    ("npm-token", with_crc("npm" + "_")),
    (
        "pypi-token",
        "pypi" + "-" + base64.urlsafe_b64encode(b"\x02\x01\x08pypi.org" + bytes(range(60, 200))).decode().rstrip("="),
    ),
    ("rubygems-token", "rubygems" + "_" + hexa(48)),
    ("clojars-token", "CLOJARS" + "_" + plain(60, LOWER)),
    ("nuget-key", "oy2" + plain(43, LOWER)),
    ("docker-token", "dckr_pat" + "_" + plain(27)),
    ("artifactory-key", "AKC" + "p" + plain(69)),
    ("artifactory-reference-token", "cmVm" + "dGtu" + plain(56)),
    ("bitbucket-app-password", "ATB" + "B" + plain(32)),
    ("atlassian-token", "ATAT" + "T3" + plain(180)),
    ("circleci-token", "CCIP" + "AT_" + plain(22) + "_" + hexa(40)),
    ("buildkite-token", "bkua" + "_" + hexa(40)),
    ("sonar-token", "sq" + "u_" + hexa(40)),
    ("sourcegraph-token", "sg" + "p_" + hexa(16) + "_" + hexa(40)),
    ("postman-key", "PMA" + "K-" + hexa(24) + "-" + hexa(34)),
    ("readme-key", "rdme" + "_" + plain(70, LOWER)),
    ("infracost-key", "ico" + "-" + plain(32)),
    ("aws-access-key-id", "AKI" + "A" + word(16, B32)),
    ("aws-access-key-id", "ASI" + "A" + word(16, B32)),
    ("aws-mws-key", "amzn" + ".mws." + uuid()),
    ("google-api-key", "AIz" + "a" + plain(35)),
    ("google-oauth-secret", "GOCSP" + "X-" + plain(28)),
    ("google-oauth-token", "ya2" + "9." + plain(120)),
    ("google-refresh-token", "1//" + "0g" + plain(60)),
    ("firebase-messaging-key", "AAAA" + plain(7) + ":APA91" + "b" + plain(134)),
    ("azure-ad-secret", "aB3" + "8Q~" + plain(34)),
    ("alibaba-access-key", "LTA" + "I" + plain(20)),
    ("digitalocean-token", "dop_v1" + "_" + hexa(64)),
    ("heroku-key", "HRK" + "U-" + uuid()),
    ("fly-token", "fo1" + "_" + plain(43)),
    ("scalingo-token", "tk-u" + "s-" + plain(48)),
    ("vercel-token", "vcp" + "_" + plain(24)),
    ("supabase-key", "sbp" + "_" + hexa(40)),
    ("planetscale-key", "pscale" + "_tkn_" + plain(43)),
    ("databricks-token", "dap" + "i" + hexa(32)),
    ("vault-token", "hvs" + "." + plain(90)),
    ("terraform-token", plain(14) + ".atlas" + "v1." + plain(67)),
    ("pulumi-token", "pul" + "-" + hexa(40)),
    ("doppler-token", "dp.p" + "t." + plain(43)),
    ("tailscale-key", "tskey" + "-auth-" + plain(13) + "-" + plain(32)),
    ("cloudflare-origin-key", "v1." + "0-" + hexa(24) + "-" + hexa(146)),
    ("onepassword-token", "ops_ey" + "J" + plain(300)),
    ("prefect-key", "pnu" + "_" + plain(36)),
    ("yandex-key", "AQV" + "N" + plain(36)),
    ("aiven-password", "AVNS" + "_" + plain(19)),
    ("slack-token", "xox" + "b-" + word(12, string.digits) + "-" + word(13, string.digits) + "-" + plain(24)),
    ("slack-app-token", "xap" + "p-1-" + word(11, UPPER) + "-" + word(13, string.digits) + "-" + hexa(64)),
    ("notion-key", "ntn" + "_" + word(11, string.digits) + plain(35)),
    ("linear-key", "lin_api" + "_" + plain(40)),
    ("figma-token", "figd" + "_" + plain(40)),
    ("typeform-token", "tfp" + "_" + plain(59)),
    ("contentful-token", "CFPA" + "T-" + plain(43)),
    ("dropbox-token", "sl" + "." + plain(140)),
    ("frameio-token", "fio" + "-u-" + plain(64)),
    ("hubspot-token", "pat" + "-na1-" + uuid()),
    ("sendgrid-key", "S" + "G." + plain(22) + "." + plain(43)),
    ("mailgun-key", "key" + "-" + plain(32, LOWER)),
    ("mailchimp-key", hexa(32) + "-us" + "12"),
    ("mailersend-key", "mls" + "n." + hexa(64)),
    ("brevo-key", "xkeysi" + "b-" + hexa(64) + "-" + plain(16)),
    ("facebook-token", "EA" + "AC" + plain(160)),
    ("twitter-bearer", "A" * 21 + "Mx7Qw" + "%2F" + plain(40) + "%3D" + plain(40)),
    ("mapbox-token", "sk" + "." + encoded({"u": "somebody", "a": "ck" + plain(20)}) + "." + plain(22)),
    ("stripe-key", "sk_" + "live_" + plain(24)),
    ("stripe-key", "rk_" + "test_" + plain(99)),
    ("stripe-webhook-secret", "whse" + "c_" + plain(32)),
    ("square-key", "sq0" + "csp-" + plain(43)),
    ("shopify-key", "shpa" + "t_" + hexa(32)),
    ("braintree-token", "access_token" + "$production$" + plain(16, LOWER) + "$" + hexa(32)),
    ("flutterwave-key", "FLWSEC" + "K-" + plain(32) + "-X"),
    ("duffel-token", "duffel" + "_live_" + plain(43)),
    ("easypost-key", "EZA" + "K" + plain(54)),
    ("shippo-token", "shippo" + "_live_" + hexa(40)),
    ("intra42-secret", "s-s4" + "t2ud-" + hexa(64)),
    ("huggingface-token", "hf" + "_" + word(34, string.ascii_letters)),
    ("openai-key", "sk" + "-" + plain(20) + "T3Blbk" + "FJ" + plain(20)),
    ("openai-key", "sk" + "-proj-" + plain(74) + "T3Blbk" + "FJ" + plain(74)),
    ("anthropic-key", "sk-an" + "t-api03-" + plain(93) + "AA"),
    ("openrouter-key", "sk-o" + "r-v1-" + hexa(64)),
    ("groq-key", "gs" + "k_" + plain(52)),
    ("replicate-token", "r8" + "_" + plain(37)),
    ("xai-key", "xa" + "i-" + plain(80)),
    ("perplexity-key", "ppl" + "x-" + plain(48)),
    ("langsmith-key", "lsv2" + "_pt_" + hexa(32) + "_" + hexa(10)),
    ("pinecone-key", "pcsk" + "_" + plain(6) + "_" + plain(63)),
    ("grafana-service-account", grafana()),
    (
        "grafana-cloud-token",
        "gl" + "c_" + base64.b64encode(json.dumps({"o": "12", "n": "a", "k": plain(24)}).encode()).decode(),
    ),
    (
        "grafana-key",
        base64.b64encode(json.dumps({"k": plain(32), "n": "a", "id": 1}, separators=(",", ":")).encode()).decode(),
    ),
    ("newrelic-key", "NRA" + "K-" + word(27, UPPER)),
    ("newrelic-license", hexa(36) + "NRA" + "L"),
    ("sentry-token", "sntry" + "u_" + hexa(64)),
    ("dynatrace-token", "dt0" + "c01." + word(24, B32) + "." + word(64, B32)),
    ("telegram-bot-token", word(9, "123456789") + ":" + "AA" + plain(33)),
    ("json-web-token", encoded({"alg": "HS256"}) + "." + encoded({"sub": "42", "exp": 1}) + "." + plain(43)),
]  # fmt: skip


def once(text: str) -> tuple[str, str, str, float]:
    """What is found in a text in which there is one thing to find."""
    found = find_in(text)
    assert len(found) == 1, "not exactly one finding"
    return text[found[0].start : found[0].end], found[0].kind, found[0].detector, found[0].confidence


PLACES = [
    'x = "{}"',
    "- {}\n",
    "f('{}')",
    '{{"a":"{}"}}',
    "// see {}",
    "{}",
    "é {} ✓",
    "\\n{}\\n",
    "a={}&b=c",
    "<a>{}</a>\r\n",
]


@pytest.mark.parametrize(("name", "token"), TOKENS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(TOKENS)])
def test_a_token_is_found_wherever_it_stands(name, token):
    for place in PLACES:
        value, kind, detector, _ = once(place.format(token))
        assert (value == token, kind, detector) == (True, "KEY", name), place


@pytest.mark.parametrize(("name", "token"), TOKENS, ids=[f"{name}-{number}" for number, (name, _) in enumerate(TOKENS)])
def test_no_part_of_a_longer_word_is_a_token(name, token):
    if name not in ("atlassian-token", "google-oauth-token", "dropbox-token"):  # of any length
        assert all(one.detector != name for one in find_in(f"x = 'Zq7{token}'"))


def test_there_are_forms_of_more_than_a_hundred_kinds_of_which_most_are_tried_here():
    assert len({detector.name for detector in DETECTORS}) > 100
    assert len({name for name, _ in TOKENS}) >= 90


@pytest.mark.parametrize(
    "name", ["github-token", "npm-token", "grafana-service-account", "json-web-token", "pypi-token"]
)
def test_what_is_proven_is_certain(name):
    assert once(next(token for one, token in TOKENS if one == name))[3] == 1


@pytest.mark.parametrize("name", ["npm-token", "grafana-service-account"])
def test_a_wrong_checksum_is_doubted_but_hidden(name):
    token = next(token for one, token in TOKENS if one == name)
    wrong = token[:-1] + ("0" if token[-1] != "0" else "1")
    assert 0 < once(wrong)[3] < 0.9


def test_a_token_that_github_never_gave_out_stays():
    token = next(token for one, token in TOKENS if one == "github-token")
    assert find_in(token[:-1] + ("0" if token[-1] != "0" else "1")) == []


def test_published_examples_of_the_checksums():
    assert checks.crc32_base62("ghp" + "_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq17")  # therootcompany/base62-token.js
    assert checks.bech32("AGE-SECRET-" + "KEY-1QYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSZQGPQYQSPKGCUH") is False
    assert checks.bech32("A12UEL5L")  # BIP 173


FILLERS = [
    "ghp" + "_" + "x" * 36,
    "AKI" + "AIOSFODNN7" + "EXAMPLE",
    "sk_" + "test_" + "X" * 24,
    "AIz" + "a" + "0123456789abcdefghijklmnopqrstuvwxyzA"[:35],
    "hf" + "_" + "abcdefghij" * 3 + "abcd",
    'api_key = "your-api-key-goes-here-1234"',
    'api_key = "YOUR_API_KEY_12345"',
    'secret_key = "${SECRET_KEY_V2_PROD}"',
    'token = "{{ vault_token_9f8a7b }}"',
    'token = "<token-9f8a7b6c5d4e>"',
    'secret = os.environ["SECRET_9f8a7b"]',
    'api_key = "00000000000000000000000000000000"',
    'encryption_key = "0123456789abcdef0123456789abcdef"',
]


@pytest.mark.parametrize("text", FILLERS, ids=range(len(FILLERS)))
def test_a_filler_is_no_key(text):
    assert find_in(text) == []


# Whatever comes

HOSTILE = [
    "key=" * 20_000, "ghp_" * 20_000, "eyJ" * 30_000, "://" * 30_000, "token = " + "a" * 100_000, '"kty"' * 5_000,
    "{" * 50_000 + '"kty"' * 50, "A" * 100_000, "api_key" + " " * 100_000, "api_key = '" + "\\" * 50_000,
    ("-----BEGIN RSA PRIVATE " + "KEY-----\n") * 500,
    "1//0" * 10_000, "-us1" * 20_000, "password: " * 10_000, "://a:" * 20_000 + "@h", "x" * 50_000 + ":AA",
    "aaaa.atlasv1." * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_end(text):
    assert all(0 <= one.start < one.end <= len(text) for one in find_in(text))


@given(st.text(max_size=300), st.sampled_from([token for _, token in TOKENS]), st.text(max_size=300))
def test_spans_lie_in_the_text_and_are_disjoint(before, token, after):
    text = before + token + after
    found = find_in(text)
    assert all(0 <= one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in pairwise(found))
