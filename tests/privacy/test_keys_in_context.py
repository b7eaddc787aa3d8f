"""Keys without a provider's form: what carries them, private keys, and values assigned to a name that says key. Each is
drawn here, from a seed and in parts, so that no scanner of this repository takes one for somebody's."""

import base64
import json
import random
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.find import find_in
from starloom.privacy.gibberish import is_random

DRAW = random.Random(9)
SECRET = "x9Kq2LmZ8vRt" + "4WpYb7Nc3HdF"
PLAIN = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
B32 = string.ascii_uppercase + "234567"


def word(length: int, alphabet: str) -> str:
    return "".join(DRAW.choices(alphabet, k=length))


def plain(length: int) -> str:
    """Ends in a letter and a figure, as a token that is found by its end must."""
    return word(length - 2, PLAIN) + "a7"


def hexa(length: int) -> str:
    return word(length, "0123456789abcdef")


def uuid() -> str:
    return "-".join(hexa(length) for length in (8, 4, 4, 4, 12))


def once(text: str) -> tuple[str, str, str, float]:
    """What is found in a text in which there is one thing to find."""
    found = find_in(text)
    assert len(found) == 1, "not exactly one finding"
    return text[found[0].start : found[0].end], found[0].kind, found[0].detector, found[0].confidence


NO_KEYS = [
    '"integrity": "sha512-' + base64.b64encode(bytes(range(64))).decode() + '"',
    "commit 5b67ea2bbd4c09e8ad2d5b2b67bf1b5feff29231",
    'sha256 = "5b67ea2bbd4c09e8ad2d5b2b67bf1b5feff292315b67ea2bbd4c09e8ad2d5b2b"',
    'id = "8bdc5016-2a81-4a43-bdd5-7b3b9adc37e7"',
    "PublicKeyToken=b77a5c561934e089",
    "sorted(names, key=lambda name: name.lower())",
    'cache_key = "5b67ea2bbd4c09e8ad2d5b2b67bf1b5f"',
    '"key": "administration.users.title2"',
    'api_key_name = "x9Kq2LmZ8vRt4WpY"',
    'token_type = "urn:ietf:params:oauth:token-type:jwt"',
    'public_key = "x9Kq2LmZ8vRt4WpYb7Nc3HdF"',
    '"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="',
    'src="data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4"',
    'token = "<|endoftext|>"',
    'key = "ArrowLeft2"',
    "if token == Token.RIGHT_PAREN1:",
    "Authorization: Basic dGVzdDp0ZXN0",
    "self.token_norm = EsmFold2LayerNorm(diffusion)",
    '"api_token_config": Qwen2_5OmniToken2WavConfig,',
    'tokens = ["Qwen2_5OmniToken2WavDiTModel", "Qwen2_5OmniToken2WavBigVGANModel"]',
    "#define XXH3_initCustomSecret XXH3_initCustomSecret_avx2",
    "ssh://687fb701029421ae5549d998@ssh.acme.dev",
]


@pytest.mark.parametrize("text", NO_KEYS, ids=range(len(NO_KEYS)))
def test_what_is_no_secret_stays(text):
    assert find_in(text) == []


# BigCode's skip rules (bigcode-dataset, pii/): keys of up to 8 characters, and keys that are words
@pytest.mark.parametrize(
    ("value", "found"),
    [("x9Kq2LmZ", False), ("x9Kq2LmZ8vRt", True), ("administrator1", False), ("my-secret-value-2", False)],
    ids=["8 characters", "12 characters", "a word", "words"],
)
def test_skips_of_bigcode(value, found):
    assert [one.kind for one in find_in(f'api_key = "{value}"')] == ["KEY"] * found


ASSIGNMENTS = [
    "api_key = '{}'", 'API_KEY="{}"', "const apiKey: string = `{}`;", '"secretKey": "{}",',
    "'client_secret' => '{}',", "export API_TOKEN={}\n", "API_TOKEN={}", "  access_token: {}\n", 'access_token: "{}"',
    "api.secret={}\r\n", '<add key="ApiSecret" value="{}"/>', "<apiKey>{}</apiKey>",
    '<string name="api_key">{}</string>', 'apiKey := "{}"', 'private static final String API_KEY = "{}";',
    '#define API_KEY "{}"', "define('API_SECRET', '{}');", 'setApiKey("{}")', "curl -H 'X-Api-Key: {}'",
    "https://nowhere.dev/v1?api_key={}&page=2", '{{\\"api_key\\": \\"{}\\"}}', 'config["api_key"] = "{}"',
    'os.environ["API_TOKEN"] = "{}"', 'os.getenv("API_TOKEN", "{}")', "--api-key={}", "--token {}",
    "- name: API_TOKEN\n  value: {}\n", '{{"name": "API_TOKEN", "value": "{}"}}', 'api_key = b"{}"', 'api_key: @"{}"',
    "Authorization: Bearer {}", 'headers = {{"Authorization": "Bearer {}"}}',
    'headers = {{"Authorization": "token {}"}}', 'let api_key: &str = "{}";', "api_key =\n    '{}'",
    'if api_key == "{}":', 'api_key ||= "{}"', 'apiKey ?? "{}"',
]  # fmt: skip


@pytest.mark.parametrize("form", ASSIGNMENTS, ids=range(len(ASSIGNMENTS)))
def test_a_random_value_is_found_in_whatever_form_it_is_assigned(form):
    value, kind, _, _ = once(form.format(SECRET))
    assert (value == SECRET, kind) == (True, "KEY")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("HEROKU_API_KEY={}", "heroku-api-key"),
        ('SNYK_TOKEN: "{}"', "snyk-token"),
        ('"postmark_token": "{}"', "postmark-token"),
    ],
    ids=["heroku", "snyk", "postmark"],
)
def test_an_id_is_a_key_where_a_name_says_so(text, name):
    value = uuid()
    assert once(text.format(value))[:3] == (value, "KEY", name)
    assert find_in(text.format(value).replace("API_KEY", "APP").replace("TOKEN", "ORG").replace("_token", "_id")) == []


def test_an_aws_secret_is_found_beside_its_id():
    key, secret = "AKI" + "A" + word(16, B32), plain(38) + "/9"
    found = find_in(f"[default]\nid = {key}\nother = {secret}\n")
    assert [one.detector for one in found] == ["aws-access-key-id", "aws-secret-beside-id"]
    assert not find_in(f"other = {secret}\n")


def age() -> str:
    prefix, data = "age-secret-key-", [DRAW.randrange(32) for _ in range(52)]
    values = [ord(one) >> 5 for one in prefix] + [0] + [ord(one) & 31 for one in prefix] + data
    rest = _polymod([*values, 0, 0, 0, 0, 0, 0]) ^ 1
    whole = [*data, *(rest >> 5 * (5 - place) & 31 for place in range(6))]
    return (prefix + "1" + "".join("qpzry9x8gf2tvdw0s3jn54khce6mua7l"[one] for one in whole)).upper()


def _polymod(values: list[int]) -> int:
    sum_ = 1
    for value in values:
        top = sum_ >> 25
        sum_ = (sum_ & 0x1FFFFFF) << 5 ^ value
        for bit, number in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            sum_ ^= number if top >> bit & 1 else 0
    return sum_


def base64_of(size: int) -> str:
    return base64.b64encode(DRAW.randbytes(size)).decode()


BOT = base64.b64encode(b"987654321098765432").decode() + "." + plain(6) + "." + plain(38)
CARRIED = [
    (
        "slack-webhook",
        "https://hooks.slack.com/" + "services/{}",
        "T" + word(8, UPPER) + "/B" + word(10, UPPER) + "/" + plain(24),
    ),
    ("discord-webhook", "https://discord.com/api/" + "webhooks/{}", word(18, "123456789") + "/" + plain(68)),
    (
        "teams-webhook",
        "https://acme.webhook.office.com/" + "webhookb2/{}",
        f"{uuid()}@{uuid()}/IncomingWebhook/{hexa(32)}/{uuid()}",
    ),
    ("zapier-webhook", "https://hooks.zapier.com/" + "hooks/catch/{}/", "1234567/" + plain(7)),
    ("discord-bot-token", "client.login('{}')", BOT),
    ("discord-bot-token", 'bot.run("{}")', BOT),
    ("azure-storage-key", "AccountName=acme;AccountKey={};EndpointSuffix=core", base64_of(64)),
    ("azure-shared-key", "SharedAccessKeyName=all;SharedAccessKey={}", base64_of(32)),
    (
        "azure-signature",
        "https://acme.blob.core.windows.net/a?sv=2020&sig={}&se=1",
        base64_of(32).replace("+", "%2B").replace("/", "%2F").replace("=", "%3D"),
    ),
    ("aws-signature", "?X-Amz-Expires=60&X-Amz-Signature={}", hexa(64)),
    (
        "docker-auth",
        '{{"auths": {{"ghcr.io": {{"auth": "{}"}}}}}}',
        base64.b64encode(b"svc:" + SECRET.encode()).decode(),
    ),
    ("address-token", "https://{}@github.com/a/b", hexa(40)),
    ("address-token", "https://{}:x-oauth-basic@github.com/a/b", hexa(40)),
    ("age-secret-key", "# public key: age1abc\n{}\n", age()),
    ("wordpress-salt", "define('AUTH_KEY', '{}');", word(64, PLAIN + "!@#%^&*()-_ []<>~`+=,.;:?|")),
    ("putty-key", "Private-Lines: 2\n{}\nPrivate-MAC: 1", base64_of(48) + "\n" + base64_of(30)),
    ("xml-rsa-key", "<RSAKeyValue><D>{}</D></RSAKeyValue>", base64_of(128)),
    ("bearer-token", "curl -H 'Authorization: Bearer {}'", plain(40)),
    ("discord-bot-token", "DISCORD_TOKEN={}", BOT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "form", "secret"), CARRIED, ids=[f"{one[0]}-{number}" for number, one in enumerate(CARRIED)]
)
def test_what_carries_a_key_stays_and_the_key_is_found(name, form, secret):
    text = form.format(secret)
    found = [one for one in find_in(text) if one.kind == "KEY"]
    assert [(one.start, one.end, one.detector) for one in found] == [
        (text.index(secret), text.index(secret) + len(secret), name)
    ]


# Private keys

BODY = [word(64, PLAIN + "+/") for _ in range(8)]
BODY[0] = "MIIE" + BODY[0][4:]
LAST = plain(30) + "=="
BEGIN, END = "-----BEGIN RSA PRIVATE " + "KEY-----", "-----END RSA PRIVATE " + "KEY-----"


@pytest.mark.parametrize(
    ("before", "between", "after"),
    [
        ("\n", "\n", "\n"),
        ("\r\n", "\r\n", "\r\n"),
        ("\\n", "\\n", "\\n"),
        ('\\n"\n  "', '\\n"\n  "', '\\n" + "'),
        ("\n# ", "\n# ", "\n# "),
        ("\n    ", "\n    ", "\n    "),
        ("", "", ""),
    ],
    ids=["lines", "CRLF", "escapes", "joined strings", "comment", "indented", "one line"],
)
def test_of_a_private_key_the_body_is_found(before, between, after):
    body = between.join([*BODY, LAST])
    value, kind, name, sure = once(f"a = {BEGIN}{before}{body}{after}{END} b")
    assert (value == body, kind, name, sure) == (True, "KEY", "private-key", 1)


def test_the_headers_of_a_private_key_stay():
    text = f"{BEGIN}\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{hexa(32).upper()}\n\n" + "\n".join(
        [*BODY, LAST, END]
    )
    assert once(text)[0].startswith("MIIE")


def test_a_private_key_that_is_cut_off_is_found_as_far_as_it_goes():
    assert once("\n".join([BEGIN, *BODY, "", "def f(): return 1"]))[0] == "\n".join(BODY)


@pytest.mark.parametrize(
    "text",
    [
        f'if "{BEGIN}" in text: return "{END}"',
        f"{BEGIN}\n...\n{END}",
        "-----BEGIN PUBLIC KEY-----\n" + "\n".join(BODY) + "\n-----END PUBLIC KEY-----",
    ],
    ids=["marks", "dots", "public"],
)
def test_marks_without_a_private_key_stay(text):
    assert find_in(text) == []


def test_a_web_key_is_found_and_its_public_part_stays():
    n, d = word(80, PLAIN), word(43, PLAIN)
    assert once(json.dumps({"kty": "RSA", "n": n, "e": "AQAB", "d": d}))[0] == d


@given(st.text(alphabet=PLAIN, min_size=16, max_size=40))
def test_random_is_told_of_whatever_string(value):
    assert is_random(value) in (True, False)
