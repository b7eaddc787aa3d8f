"""Secrets and personal data to plant: made from the formats that providers publish, with valid checksums where there
are any; seeded, so that the same run plants the same. Nothing here was ever valid, and nothing is taken from what is
measured: `privacy/keys` has its own table.

A `Kind` says what stands for it in a file: the value to be found (between two `\\0`, where more than it is written),
the names it is assigned to, and whether those are needed to know it (`context`): hexadecimal digits alone are no key.
"""

import base64
import hashlib
import hmac
import json
import random
import string
import zlib
from collections.abc import Callable
from dataclasses import dataclass

ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
LOWER = string.ascii_lowercase + string.digits
HEX = "0123456789abcdef"
BASE62 = string.digits + string.ascii_uppercase + string.ascii_lowercase
URL64 = ALNUM + "-_"
BASE64 = ALNUM + "+/"

Make = Callable[[random.Random], str]


@dataclass(frozen=True)
class Kind:
    """`group`: provider, structure, generic or password; `finding`: what it should be called, one of them."""

    name: str
    group: str
    finding: tuple[str, ...]
    make: Make
    names: tuple[str, ...] = ("token", "auth_token", "api_key", "access_token", "secret")
    context: bool = False  # names are needed to know it
    form: str = "value"  # how it is written: see places.py
    whole: bool = False  # what stands around the value may go with it


def of(alphabet: str, least: int, most: int | None = None) -> Make:
    return lambda rng: "".join(rng.choices(alphabet, k=rng.randint(least, most or least)))


def after(prefix: str, *parts: Make | str) -> Make:
    """`prefix` and what follows it."""
    return lambda rng: prefix + "".join(part if isinstance(part, str) else part(rng) for part in parts)


def base62(number: int, width: int) -> str:
    digits = ""
    while number:
        number, rest = divmod(number, 62)
        digits = BASE62[rest] + digits
    return digits.rjust(width, "0")


def crc62(prefix: str) -> Make:
    """Thirty characters and their CRC-32 in base 62, as GitHub and npm end their tokens."""

    def make(rng: random.Random) -> str:
        body = of(ALNUM, 30)(rng)
        return prefix + body + base62(zlib.crc32(body.encode()), 6)

    return make


def grafana(rng: random.Random) -> str:
    body = "glsa" + "_" + of(ALNUM, 32)(rng)
    return body + "_" + zlib.crc32(body.encode()).to_bytes(4, "little").hex()


def encoded(size: int, url: bool = False) -> Make:
    """`size` random bytes in base 64."""
    encode = base64.urlsafe_b64encode if url else base64.b64encode
    return lambda rng: encode(rng.randbytes(size)).decode()


def pypi(rng: random.Random) -> str:
    """A macaroon for pypi.org: what it holds is named before it is signed."""
    identifier = b"\x02\x01\x08pypi.org\x02$" + _uuid(rng).encode() + b'\x00\x02*[3,"' + _uuid(rng).encode() + b'"]'
    body = base64.urlsafe_b64encode(identifier + b"\x00\x00\x06 " + rng.randbytes(32)).decode().rstrip("=")
    return "pypi-" + body


def _uuid(rng: random.Random) -> str:
    digits = of(HEX, 32)(rng)
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{rng.choice('89ab')}{digits[17:20]}-{digits[20:]}"


def jwt(rng: random.Random) -> str:
    def part(value: object) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=")

    claims = {"sub": of(string.digits, 8)(rng), "iat": rng.randint(1500000000, 1700000000), "role": "service"}
    body = part({"alg": "HS256", "typ": "JWT"}) + b"." + part(claims)
    sign = hmac.digest(rng.randbytes(32), body, hashlib.sha256)
    return (body + b"." + base64.urlsafe_b64encode(sign).rstrip(b"=")).decode()


_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def age(rng: random.Random) -> str:
    """32 bytes in Bech32 (BIP 173) under `age-secret-key-`."""
    name = "age-secret-key-"
    number = int.from_bytes(rng.randbytes(32), "big") << 4  # 256 bits in groups of five, four bits over
    values = [number >> (5 * place) & 31 for place in reversed(range(52))]
    expanded = [ord(one) >> 5 for one in name] + [0] + [ord(one) & 31 for one in name]
    check = 1
    for value in [*expanded, *values, 0, 0, 0, 0, 0, 0]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
            check ^= generator if top >> place & 1 else 0
    values += [(check ^ 1) >> 5 * (5 - place) & 31 for place in range(6)]
    return (name + "1" + "".join(_BECH32[one] for one in values)).upper()


def pem(label: str, size: int, prefix: bytes = b"") -> Make:
    """A private key between its markers, in lines of 64."""

    def make(rng: random.Random) -> str:
        body = base64.b64encode(prefix + rng.randbytes(size)).decode()
        lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
        return f"-----BEGIN {label}-----\n\0{lines}\0\n-----END {label}-----"

    return make


def pgp(rng: random.Random) -> str:
    """The armour of RFC 4880, with its CRC-24."""
    data, crc = b"\x95\x03" + rng.randbytes(600), 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc = (crc << 1) ^ (0x1864CFB if crc & 0x800000 else 0)
    body = base64.b64encode(data).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    check = base64.b64encode((crc & 0xFFFFFF).to_bytes(3, "big")).decode()
    label = "PGP PRIVATE KEY BLOCK"
    return f"-----BEGIN {label}-----\n\n\0{lines}\n={check}\0\n-----END {label}-----"


def discord(rng: random.Random) -> str:
    number = base64.b64encode(str(rng.randint(10**17, 10**18 - 1)).encode()).decode().rstrip("=")
    return f"{number}.{of(URL64, 6)(rng)}.{of(URL64, 38)(rng)}"


def openai(rng: random.Random) -> str:
    if rng.random() < 0.5:
        return "sk-" + of(ALNUM, 20)(rng) + "T3Blbk" + "FJ" + of(ALNUM, 20)(rng)
    return "sk-proj-" + of(URL64, 74)(rng) + "T3Blbk" + "FJ" + of(URL64, 74)(rng)


def password(rng: random.Random) -> str:
    """As people make them: words, digits, signs; or as a manager makes them."""
    way = rng.randrange(4)
    if way == 0:
        return of(ALNUM + "!#%^*-_", 12, 20)(rng)
    word = "".join(
        rng.choice(["bl", "cr", "d", "f", "gr", "k", "m", "p", "r", "t"]) + rng.choice("aeiou") for _ in "abc"
    )
    if way == 1:
        return word.capitalize() + of(string.digits, 2, 4)(rng) + rng.choice("!#*?")
    if way == 2:
        return word + rng.choice("@_-!") + of(LOWER, 4, 7)(rng)
    return of(string.ascii_letters, 3)(rng) + of(string.digits, 3, 5)(rng) + of(string.ascii_letters, 3, 5)(rng)


def crypted(rng: random.Random) -> str:
    """What htpasswd and shadow files hold."""
    salted = string.ascii_letters + string.digits + "./"
    return rng.choice(
        [
            after("$apr1$", of(salted, 8), "$", of(salted, 22)),
            after("$2y$10$", of(salted, 53)),
            after("$6$", of(salted, 16), "$", of(salted, 86)),
            after("{SHA}", encoded(20)),
        ]
    )(rng)


def url(scheme: str, host: str, rest: str) -> Make:
    """Only the password is the secret: the rest stands around it (`\\0` on both sides)."""
    return lambda rng: (
        f"{scheme}://{rng.choice(['app', 'admin', 'svc_web', 'root'])}:\0{of(ALNUM, 14, 20)(rng)}\0@{host}{rest}"
    )


PROVIDER, STRUCTURE, GENERIC, PASSWORD = "provider", "structure", "generic", "password"
KEY, ANY = ("KEY",), ("KEY", "PASSWORD")


def _provider(
    name: str, make: Make, *names: str, context: bool = False, form: str = "value", whole: bool = False
) -> Kind:
    return Kind(name, PROVIDER, KEY, make, names or Kind.names, context, form, whole)


KINDS: tuple[Kind, ...] = (
    _provider("aws-access-key-id", after("AK" + "IA", of(string.ascii_uppercase + "234567", 16)), "aws_access_key_id"),
    _provider("aws-secret-access-key", of(BASE64, 40), "aws_secret_access_key", "AWS_SECRET_KEY", context=True),
    _provider("gcp-api-key", after("AI" + "za", of(URL64, 35)), "google_api_key", "apiKey", "MAPS_KEY"),
    _provider("gcp-private-key", pem("PRIVATE " + "KEY", 1190, b"0\x82"), "private_key", form="escaped", whole=True),
    _provider("azure-storage", encoded(64), "AccountName=stweb;AccountKey", "AccountKey", context=True, form="pair"),
    _provider("azure-ad-client-secret", after("", of(ALNUM, 3), "8Q~", of(ALNUM + "_.~", 34)), "client_secret"),
    _provider("github-classic", crc62("gh" + "p_"), "github_token", "GITHUB_TOKEN", "token", "auth"),
    _provider("github-oauth", crc62("gh" + "o_"), "github_token", "oauth_token"),
    _provider("github-server", crc62("gh" + "s_"), "token", "installation_token"),
    _provider("github-refresh", crc62("gh" + "r_"), "refresh_token"),
    _provider("github-fine-grained", after("github_" + "pat_", of(ALNUM, 22), "_", of(ALNUM, 59)), "GH_TOKEN", "token"),
    _provider("gitlab", after("gl" + "pat-", of(URL64, 20)), "GITLAB_TOKEN", "private_token"),
    _provider(
        "slack-bot",
        after("xo" + "xb-", of(string.digits, 12), "-", of(string.digits, 12), "-", of(ALNUM, 24)),
        "SLACK_BOT_TOKEN",
        "token",
    ),
    _provider(
        "slack-user",
        after("xo" + "xp-", *[part for _ in "abc" for part in (of(string.digits, 12), "-")], of(HEX, 32)),
        "slack_token",
    ),
    _provider(
        "slack-webhook",
        after(
            "https://hooks.slack.com/" + "services/\0", "T", of(UPPER, 8), "/B", of(UPPER, 10), "/", of(ALNUM, 24), "\0"
        ),
        "SLACK_WEBHOOK_URL",
        "webhook",
        whole=True,
    ),
    _provider("stripe-secret", after("sk_" + "live_", of(ALNUM, 24)), "stripe_key", "STRIPE_SECRET_KEY", "api_key"),
    _provider("stripe-restricted", after("rk_" + "live_", of(ALNUM, 24, 99)), "stripe_api_key"),
    _provider("twilio-api-key", after("SK", of(HEX, 32)), "TWILIO_API_KEY"),
    _provider("twilio-auth-token", of(HEX, 32), "TWILIO_AUTH_TOKEN", "twilioAuthToken", context=True),
    _provider("sendgrid", after("SG" + ".", of(URL64, 22), ".", of(URL64, 43)), "SENDGRID_API_KEY"),
    _provider("mailgun", after("key-", of(HEX, 32)), "MAILGUN_API_KEY", "mailgun_key"),
    _provider("mailchimp", after("", of(HEX, 32), "-us", of("123456789", 1)), "MAILCHIMP_API_KEY", "mailchimp_key"),
    _provider("npm", crc62("np" + "m_"), "//registry.npmjs.org/:_authToken", "NPM_TOKEN"),
    _provider("pypi", pypi, "password", "TWINE_PASSWORD", "PYPI_TOKEN"),
    _provider("docker", after("dckr_" + "pat_", of(URL64, 27)), "DOCKERHUB_TOKEN"),
    _provider("huggingface", after("hf" + "_", of(string.ascii_letters, 34)), "HF_TOKEN", "use_auth_token"),
    _provider("openai", openai, "OPENAI_API_KEY", "openai.api_key", "api_key"),
    _provider("anthropic", after("sk-ant-" + "api03-", of(URL64, 93), "AA"), "ANTHROPIC_API_KEY", "x-api-key"),
    _provider("discord-bot", discord, "DISCORD_TOKEN", "token", "bot_token"),
    _provider(
        "discord-webhook",
        after("https://discord.com/api/" + "webhooks/\0", of(string.digits[1:], 18), "/", of(URL64, 68), "\0"),
        "webhook_url",
        whole=True,
    ),
    _provider("telegram", after("", of("123456789", 9), ":AA", of(URL64, 33)), "TELEGRAM_TOKEN", "bot_token"),
    _provider("shopify", after("shp" + "at_", of(HEX, 32)), "shopify_token"),
    _provider("shopify-shared", after("shp" + "ss_", of(HEX, 32)), "SHOPIFY_API_SECRET"),
    _provider("square-token", after("sq0" + "atp-", of(URL64, 22)), "square_token"),
    _provider("square-secret", after("sq0" + "csp-", of(URL64, 43)), "square_secret"),
    _provider("digitalocean", after("dop" + "_v1_", of(HEX, 64)), "DO_TOKEN", "digitalocean_token"),
    _provider("doppler", after("dp" + ".pt.", of(ALNUM, 43)), "DOPPLER_TOKEN"),
    _provider("linear", after("lin_" + "api_", of(ALNUM, 40)), "LINEAR_API_KEY"),
    _provider("notion", after("secret_", of(ALNUM, 43)), "NOTION_TOKEN", "notion_key"),
    _provider("databricks", after("da" + "pi", of(HEX, 32)), "DATABRICKS_TOKEN"),
    _provider("grafana-service", grafana, "GRAFANA_TOKEN"),
    _provider("grafana-cloud", after("glc" + "_", encoded(90)), "GRAFANA_API_KEY"),
    _provider("vault", after("hv" + "s.", of(URL64, 90, 120)), "VAULT_TOKEN"),
    _provider("terraform", after("", of(ALNUM, 14), ".atlas" + "v1.", of(ALNUM, 67)), "TF_TOKEN", "token"),
    _provider("sentry-user", after("sntry" + "u_", of(HEX, 64)), "SENTRY_AUTH_TOKEN"),
    _provider("newrelic-user", after("NR" + "AK-", of(UPPER, 27)), "NEW_RELIC_API_KEY"),
    _provider("datadog-api", of(HEX, 32), "DD_API_KEY", "datadog_api_key", context=True),
    _provider("datadog-app", of(HEX, 40), "DD_APP_KEY", "datadog_app_key", context=True),
    _provider("heroku", lambda rng: _uuid(rng), "HEROKU_API_KEY", "heroku_api_key", context=True),
    _provider("cloudflare", of(URL64, 40), "CLOUDFLARE_API_TOKEN", "CF_API_TOKEN", context=True),
    _provider("facebook", after("EAAC" + "EdEose0cBA", of(ALNUM, 120, 160)), "facebook_access_token", "fb_token"),
    _provider("twitter-bearer", after("A" * 22, of(ALNUM, 40), "%3D", of(ALNUM, 42)), "TWITTER_BEARER_TOKEN"),
    _provider("linkedin", of(ALNUM, 16), "linkedin_client_secret", context=True),
    _provider("algolia-admin", of(HEX, 32), "ALGOLIA_API_KEY", "algolia_admin_key", context=True),
    _provider("planetscale", after("pscale_" + "pw_", of(URL64, 43)), "DATABASE_PASSWORD", "password"),
    _provider("postman", after("PM" + "AK-", of(HEX, 24), "-", of(HEX, 34)), "POSTMAN_API_KEY"),
    _provider("pulumi", after("pu" + "l-", of(HEX, 40)), "PULUMI_ACCESS_TOKEN"),
    _provider("rubygems", after("ruby" + "gems_", of(HEX, 48)), "GEM_HOST_API_KEY"),
    _provider("figma", after("fig" + "d_", of(URL64, 40)), "FIGMA_TOKEN"),
    _provider("airtable", after("pat", of(ALNUM, 14), ".", of(HEX, 64)), "AIRTABLE_TOKEN", "airtable_api_key"),
    _provider("supabase", after("sb" + "p_", of(HEX, 40)), "SUPABASE_ACCESS_TOKEN"),
    _provider("sonar", after("sq" + "u_", of(HEX, 40)), "SONAR_TOKEN"),
    _provider("okta", after("00", of(URL64, 40)), "OKTA_API_TOKEN", "okta_token", context=True),
    Kind("age", STRUCTURE, KEY, age, ("identity", "AGE_KEY")),
    Kind("jwt", STRUCTURE, KEY, jwt, ("token", "id_token", "jwt", "service_role_key")),
    Kind("pem-rsa", STRUCTURE, KEY, pem("RSA PRIVATE " + "KEY", 1190, b"0\x82"), ("key",), form="block", whole=True),
    Kind("pem-ec", STRUCTURE, KEY, pem("EC PRIVATE " + "KEY", 118, b"0w"), ("key",), form="block", whole=True),
    Kind(
        "pem-openssh",
        STRUCTURE,
        KEY,
        pem("OPENSSH PRIVATE " + "KEY", 380, b"openssh-key-v1\0"),
        ("deploy_key",),
        form="block",
        whole=True,
    ),
    Kind("pgp", STRUCTURE, KEY, pgp, ("signing_key",), form="block", whole=True),
    Kind(
        "url-postgres", STRUCTURE, ANY, url("postgres", "db.internal.acmecorp.io:5432", "/app"), ("DATABASE_URL", "dsn")
    ),
    Kind(
        "url-mongodb", STRUCTURE, ANY, url("mongodb+srv", "cluster0.k3xq2.mongodb.net", "/prod"), ("MONGO_URI", "uri")
    ),
    Kind("url-redis", STRUCTURE, ANY, url("redis", "cache.acmecorp.io:6379", "/0"), ("REDIS_URL",)),
    Kind("url-amqp", STRUCTURE, ANY, url("amqps", "mq.acmecorp.io", "/vhost"), ("BROKER_URL",)),
    Kind("url-https", STRUCTURE, ANY, url("https", "git.acmecorp.io", "/team/app.git"), ("remote", "url")),
    Kind(
        "basic-auth",
        STRUCTURE,
        ANY,
        lambda rng: base64.b64encode(f"svc:{password(rng)}".encode()).decode(),
        form="basic",
    ),
    Kind("bearer", STRUCTURE, KEY, of(URL64, 40, 60), form="bearer"),
    Kind("crypt-hash", STRUCTURE, ANY, crypted, ("deploy",), form="colon"),
    Kind(
        "wordpress-salt",
        GENERIC,
        KEY,
        of(ALNUM + "!@#%^&*()-_ []{}<>~`+=,.;:/?|", 64),
        ("AUTH_KEY", "NONCE_SALT"),
        True,
        "define",
    ),
    Kind("generic-alphanumeric", GENERIC, ANY, of(ALNUM, 20, 48), ("api_key", "secret_key", "auth_token"), True),
    Kind("generic-base64", GENERIC, ANY, encoded(33), ("SECRET_KEY", "encryption_key", "jwt_secret"), True),
    Kind(
        "generic-hex", GENERIC, ANY, of(HEX, 32, 64), ("secret", "client_secret", "consumer_secret", "api_secret"), True
    ),
    Kind("password", PASSWORD, ANY, password, ("password", "DB_PASSWORD", "passwd", "db_pass", "pwd"), True),
    Kind("password-netrc", PASSWORD, ANY, password, form="netrc"),
)
