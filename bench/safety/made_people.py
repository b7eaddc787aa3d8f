"""Personal data to plant (addresses, names), and what only looks private: decoys, of which nothing is to be found.

Decoys stand in the same places as secrets. Each is one for a reason that the paper (section 4.3 of arXiv 2402.19173 and
its skip lists) or plain sense gives: reserved names and networks, public resolvers, versions, hashes, placeholders.
"""

import base64
import ipaddress
import random
import string
from collections.abc import Callable

from safety.made_secrets import ALNUM, HEX, LOWER, UPPER, Kind, of

_FIRST = (
    *("Ada", "Alan", "Barbara", "Bjarne", "Chiara", "Dmitri", "Edsger", "Fatima"),
    *("Grace", "Hiroshi", "Ingrid", "Joaquín", "Katherine", "Lars", "Mei", "Niklaus"),
    *("Olga", "Priya", "Quentin", "Radia", "Søren", "Tomás", "Ursula", "Vint"),
    *("Wanjiku", "Xavier", "Yukihiro", "Zoë"),
)
_LAST = (
    *("Abelson", "Brandt", "Carvalho", "Dubois", "Eriksson", "Fernández", "Goldberg", "Haapala"),
    *("Ivanova", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Nakamura", "Okafor", "Petrov"),
    *("Quist", "Rossi", "Schneider", "Takahashi", "Ueda", "Vasquez", "Weber", "Xu"),
    *("Yilmaz", "Zimmermann", "O'Neill"),
)
_DOMAINS = (
    *(
        "gmail.com",
        "outlook.com",
        "web.de",
        "proton.me",
        "qq.com",
        "yandex.ru",
        "mail.acmecorp.io",
        "cs.univ-north.edu",
    ),
    *("brightpixel.dev", "nordlicht.net", "uni-sued.de", "opensrc.org", "corp.largefirm.co.uk", "startup.ai"),
)


def one_of(*texts: str) -> Callable[[random.Random], str]:
    return lambda rng: rng.choice(texts)


def _plain(text: str) -> str:
    return "".join(one for one in text.lower() if one in LOWER)


def person(rng: random.Random) -> str:
    middle = f" {rng.choice(string.ascii_uppercase)}." if rng.random() < 0.15 else ""
    return f"{rng.choice(_FIRST)}{middle} {rng.choice(_LAST)}"


def email(rng: random.Random) -> str:
    first, last = _plain(rng.choice(_FIRST)) or "zoe", _plain(rng.choice(_LAST))
    local = rng.choice(
        [
            f"{first}.{last}",
            f"{first[0]}{last}",
            f"{first}_{last}{rng.randint(1, 99)}",
            f"{first}+git",
            f"{last}-{first}",
            f"{first}{rng.randint(60, 2010)}",
            first,
        ]
    )
    return f"{local}@{rng.choice(_DOMAINS)}"


def ipv4(rng: random.Random) -> str:
    while True:
        address = ipaddress.IPv4Address(rng.getrandbits(32))
        if address.is_global and not address.is_multicast and int(address) >> 24 > 20:
            return str(address)


def ipv6(rng: random.Random) -> str:
    head = rng.choice([0x20010470, 0x2A0104F8, 0x26001F18, 0x2A032880, 0x24048000])
    tail = rng.getrandbits(96) if rng.random() < 0.7 else rng.getrandbits(16) << 80 | rng.getrandbits(16)
    address = ipaddress.IPv6Address(head << 96 | tail)
    return str(address) if rng.random() < 0.8 else address.exploded


def username(rng: random.Random) -> str:
    return _plain(rng.choice(_FIRST))[:4] + rng.choice(["", "_", "-"]) + _plain(rng.choice(_LAST))[:5]


PEOPLE: tuple[Kind, ...] = (
    Kind("email", "email", ("EMAIL",), email, ("email", "contact", "author_email", "to", "maintainer")),
    Kind(
        "email-brackets",
        "email",
        ("EMAIL",),
        lambda rng: f"{person(rng)} <\0{email(rng)}\0>",
        form="comment",
        whole=True,
    ),
    Kind("email-mailto", "email", ("EMAIL",), lambda rng: f"mailto:\0{email(rng)}\0", ("href", "contact", "url")),
    Kind("email-prose", "email", ("EMAIL",), lambda rng: f"questions to \0{email(rng)}\0.", form="comment"),
    Kind("ipv4", "ip", ("IP_ADDRESS",), ipv4, ("host", "server", "ip", "bind", "REMOTE_ADDR")),
    Kind("ipv4-port", "ip", ("IP_ADDRESS",), lambda rng: f"http://\0{ipv4(rng)}\0:8080/", ("url", "endpoint", "proxy")),
    Kind("ipv4-log", "ip", ("IP_ADDRESS",), lambda rng: f"connection from \0{ipv4(rng)}\0 refused", form="comment"),
    Kind("ipv6", "ip", ("IP_ADDRESS",), ipv6, ("host", "ipv6", "listen", "address")),
    Kind("ipv6-url", "ip", ("IP_ADDRESS",), lambda rng: f"http://[\0{ipv6(rng)}\0]:80/", ("url", "endpoint")),
    Kind("name-author", "name", ("NAME",), lambda rng: f"Author: \0{person(rng)}\0", form="comment"),
    Kind("name-at-author", "name", ("NAME",), lambda rng: f"@author \0{person(rng)}\0", form="comment"),
    Kind(
        "name-signed",
        "name",
        ("NAME",),
        lambda rng: f"Signed-off-by: \0{person(rng)}\0 <noreply@example.com>",
        form="comment",
    ),
    Kind("name-maintainer", "name", ("NAME",), lambda rng: f"Maintainer: \0{person(rng)}\0", form="comment"),
    Kind(
        "username-home",
        "username",
        ("USERNAME",),
        lambda rng: f"/home/\0{username(rng)}\0/src/app",
        ("path", "root", "cwd"),
    ),
    Kind(
        "username-mac", "username", ("USERNAME",), lambda rng: f"/Users/\0{username(rng)}\0/dev/app", ("path", "base")
    ),
    Kind(
        "username-todo", "username", ("USERNAME",), lambda rng: f"TODO(\0{username(rng)}\0): tidy this", form="comment"
    ),
)

NOTHING: tuple[str, ...] = ()


def _decoy(name: str, make: Callable[[random.Random], str], *names: str, form: str = "value") -> Kind:
    return Kind(name, "decoy", NOTHING, make, names or Kind.names, False, form)


def _uuid(rng: random.Random) -> str:
    return "-".join(of(HEX, size)(rng) for size in (8, 4, 4, 4, 12))


_SECRET_NAMES = ("password", "api_key", "secret_key", "auth_token", "DB_PASSWORD")
DECOYS: tuple[Kind, ...] = (
    _decoy(
        "placeholder-your", one_of("your-api-key-here", "YOUR_SECRET_KEY", "<your token>", "changeme"), *_SECRET_NAMES
    ),
    _decoy("placeholder-x", one_of("xxxxxxxxxxxxxxxxxxxx", "****************", "...................."), *_SECRET_NAMES),
    _decoy(
        "placeholder-variable",
        one_of("${API_KEY}", "{{ vault_secret }}", "%(secret)s", "$SECRET_TOKEN"),
        *_SECRET_NAMES,
    ),
    _decoy("placeholder-aws", one_of("AKIAIOSFODNN7" + "EXAMPLE"), "aws_access_key_id"),
    _decoy("empty", one_of("none", "null", "true", "false"), *_SECRET_NAMES),
    _decoy("word", one_of("username_or_password", "primary_key_column", "access_token_url"), *_SECRET_NAMES),
    _decoy("git-commit", of(HEX, 40), "commit", "revision", "GIT_SHA", "ref"),
    _decoy("sha256", of(HEX, 64), "sha256", "checksum", "digest"),
    _decoy("md5", of(HEX, 32), "md5", "etag", "checksum"),
    _decoy("integrity", lambda rng: "sha512-" + base64.b64encode(rng.randbytes(64)).decode(), "integrity"),
    _decoy("uuid", _uuid, "id", "uuid", "request_id", "guid"),
    _decoy("public-key", lambda rng: "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + of(ALNUM + "+/", 43)(rng), "public_key"),
    _decoy(
        "image", lambda rng: "data:image/png;base64,iVBORw0KGgo" + of(ALNUM + "+/", 200)(rng), "icon", "src", "logo"
    ),
    _decoy(
        "email-reserved",
        lambda rng: rng.choice(["user", "foo.bar", "alice"]) + "@example." + rng.choice(["com", "org", "net"]),
        "email",
        "to",
    ),
    _decoy(
        "email-package",
        lambda rng: f"left-pad@{rng.randint(0, 9)}.{rng.randint(0, 20)}.{rng.randint(0, 9)}",
        "package",
        "dep",
    ),
    _decoy("email-picture", lambda rng: f"icon-{of(LOWER, 4)(rng)}@2x.png", "src", "image"),
    _decoy(
        "email-scp", lambda rng: f"git@github.com:{of(LOWER, 6)(rng)}/{of(LOWER, 8)(rng)}.git", "remote", "repository"
    ),
    _decoy(
        "ip-private",
        lambda rng: rng.choice([f"192.168.{rng.randint(0, 255)}.7", f"10.{rng.randint(0, 255)}.0.1", "127.0.0.1"]),
        "host",
        "ip",
    ),
    _decoy(
        "ip-documentation",
        lambda rng: rng.choice(["192.0.2.", "198.51.100.", "203.0.113."]) + str(rng.randint(1, 254)),
        "host",
        "ip",
    ),
    _decoy("ip-resolver", one_of("8.8.8.8", "8.8.4.4", "1.1.1.1", "9.9.9.9", "208.67.222.222"), "dns", "nameserver"),
    _decoy(
        "ip-version",
        lambda rng: f"{rng.randint(1, 30)}.{rng.randint(0, 99)}.{rng.randint(0, 99)}.{rng.randint(0, 99)}",
        "version",
        "AssemblyVersion",
    ),
    _decoy("ip-mask", one_of("255.255.255.0", "255.255.0.0", "0.0.0.0"), "netmask", "mask"),
    _decoy("ipv6-documentation", lambda rng: f"2001:db8::{rng.randint(1, 9999):x}", "host", "address"),
    _decoy("mac", lambda rng: ":".join(of(HEX, 2)(rng) for _ in range(6)), "mac", "hwaddr"),
    _decoy("time", lambda rng: f"{rng.randint(10, 23)}:{rng.randint(10, 59)}:{rng.randint(10, 59)}", "time", "at"),
    _decoy("scope", one_of("std::chrono::system_clock", "ns::a::b", "::testing::Test"), "type"),
    _decoy(
        "identifier",
        lambda rng: "".join(rng.choice(["get", "Access", "Token", "User", "Key", "Provider"]) for _ in range(4)),
        "key",
        "name",
        "handler",
    ),
    _decoy("name-notice", lambda rng: f"Copyright (c) {rng.randint(1999, 2024)} {person(rng)}", form="comment"),
    _decoy("serial", of(UPPER, 12), "sku", "serial", "order"),
)
