"""E-mail addresses: found however they are written, and nothing else."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy import emails
from starloom.privacy.finding import Finding

JOE = "joe.doe@weaver.dev"


@pytest.fixture
def addresses(detected: Callable[..., list[Finding]]) -> Callable[[str], list[str]]:
    def addresses(text: str) -> list[str]:
        found = detected(text, emails.DETECTORS)
        assert {one.kind for one in found} <= {"EMAIL"}
        return [text[one.start : one.end] for one in found]

    return addresses


@pytest.mark.parametrize(
    "text",
    [
        JOE,
        f"<{JOE}>",
        f"Joe Doe <{JOE}>, and others",
        f"mailto:{JOE}?subject=hi",
        f'<a href="mailto:{JOE}">',
        f"mailto://{JOE}",
        f"'{JOE}'",
        f"u'{JOE}'",
        f'"{JOE}"',
        f"`{JOE}`",
        f"({JOE})",
        f"[{JOE}]",
        f"email={JOE}",
        f"email:{JOE}",
        f"{JOE},",
        f"{JOE}.",
        f"{JOE}: he said",
        f"{JOE};",
        f"{JOE}:secret1",  # of a list of accounts
        f"{JOE}-->",
        f"_{JOE}_",  # emphasis
        f"*{JOE}*",
        f"#{JOE}",
        f"+{JOE}",  # of a diff
        f"--{JOE}",
        f"...{JOE}",
        f"{JOE}(preferred)",
        f"邮箱{JOE}，谢谢",
        f"联系{JOE}联系",
        f"«{JOE}»",
        f"a\t{JOE}\r\nb",
        f"\\n{JOE}\\n",  # escapes of a string
        f"\\u003c{JOE}\\u003e",
        f"%3C{JOE}%3E",
        f"mail=%20{JOE}&x=1",
        f"&lt;{JOE}&gt;",
        f"https://weaver.dev/?mail={JOE}",
        f"write to {JOE}.Then wait",
        f"\x00{JOE}\x00",
        f"{JOE}\ud800",
        f"{JOE}-20121220",
    ],
)
def test_neighbours_are_not_part_of_it(addresses, text):
    assert addresses(text) == [JOE]


@pytest.mark.parametrize(
    "address",
    [
        "joe+lists@weaver.dev",
        "joe_doe-2@weaver.dev",
        "j@weaver.dev",
        "12345@qq.com",
        "o'brien@weaver.ie",
        "müller@weaver.de",
        "joe@müller.de",
        "joe@xn--mller-kva.de",
        "joe@weaver.xn--p1ai",
        "joe@a.b.c.d.weaver.co.uk",
        "Joe@Weaver.COM",
        "joe@163.com",
        "joe@2xlibre.net",
        "noreply@github.com",  # an address, and nobody's secret, but the paper hides it too
        "12345678+joe@users.noreply.github.com",
        "bug-tracker@gnu.org",
        "git@vger.kernel.org",  # a list, not a repository
        "joe\\@weaver.dev",  # Perl
        "joe@@weaver.dev",  # Texinfo
        "joe%40weaver.dev",
        "joe&#64;weaver.dev",
        "joe&#x40;weaver.dev",
        "joe&commat;weaver.dev",
        "joe%inner@outer.org",
        "djm@openssh.com",
        "user@weaver.dev",  # a placeholder only at a placeholder
        "joe (at) weaver.dev",
        "joe(at)weaver.dev",
        "joe [at] weaver [dot] dev",
        "joe[at]weaver[dot]co[dot]uk",
        "joe AT weaver DOT dev",
        "joe dot doe at weaver dot dev",
        "x" * 64 + "@weaver.dev",
    ],
)
def test_every_form_is_found(addresses, address):
    assert addresses(f"reach me: {address}, please") == [address]


@pytest.mark.parametrize(
    "text",
    [
        "left-pad@1.3.0",
        "left-pad@1.3.0-rc.dev",
        "react@18.2.dev",
        "pkg@^1.2.0",
        "logo@2x.png",
        "logo@3x.ai",
        "@decorator.method",
        "@sum.items",
        "git@github.com:owner/name.git",
        "git@git.weaver.dev:name.git",
        "git@github.com",
        "deploy@weaver.dev:/var/www",
        "joe@weaver.dev:~/files/",
        ":pserver:anonymous@cvs.weaver.dev:/cvsroot/x",
        "ssh://joe@weaver.dev/repository",
        "https://joe:secret@weaver.dev/",
        "postgres://joe:secret@db.weaver.dev:5432/x",
        "git+ssh://joe@weaver.dev/x",
        "%s@weaver.dev",
        "{name}@weaver.dev",
        "${name}@weaver.dev",
        "$name@weaver.dev",
        "#{name}@weaver.dev",
        "<name>@weaver.dev",
        "a@b.to",
        "out = weights@inputs.to(device)",
        "case that@Some.Name =>",
        "a@b.is_valid",
        "list.@items.size()",
        "getty@tty1.service",
        "gnome@weaver.target",
        "ssh-ed25519-cert-v01@openssh.com",
        "keepalive@openssh.com",
        "Message-ID: <abc.def@weaver.dev>",
        "In-Reply-To: <abc@weaver.dev>",
        "References: <a.b.c@weaver.dev>",
        "cid:part1.abc@weaver.dev",
        "<20091218113025.4321.56789@weaver.dev>",
        "x" * 65 + "@weaver.dev",
        "joe@weaver.nosuchdomain",
        "joe@weaver",
        "joe@localhost",
        "joe@.weaver.dev",
        "joe.@weaver.dev",
        "joe @ weaver.dev",
        "look at weaver dot dev",
        "cut at the dot in two",
        "COMBINING DOT ABOVE",
        "the dot product",
    ],
)
def test_what_only_looks_like_one_is_left(addresses, text):
    assert addresses(f"x {text} y") == []


@pytest.mark.parametrize(
    "address",
    [
        *("joe@example.com", "joe@mail.example.org", "joe@example.net", "joe@example.co.uk", "joe@weaver.example"),
        *("joe@weaver.test", "joe@weaver.invalid", "joe@weaver.local", "joe@localhost.localdomain"),
        *("you@yourdomain.com", "info@your-company.com", "joe@mydomain.org", "joe@domain.com", "joe@domain.tld"),
        *("foo@bar.com", "user@host.com", "test@test.com", "your.name@email.com", "john@doe.com", "john.doe@mail.com"),
        *("LL@li.org", "joe (at) example (dot) com"),
    ],
)
def test_what_is_nobodys_is_left(addresses, address):
    """RFC 2606 and RFC 6761 reserve the names; the others are written for want of an address."""
    assert addresses(f'mail = "{address}"') == []


LOCAL = st.from_regex(r"[a-z][a-z0-9]{1,9}([._+-][a-z0-9]{2,8}){0,2}", fullmatch=True)
DOMAIN = st.from_regex(r"[a-z]{2}[a-z0-9]{3,12}(-[a-z0-9]{2,5})?\.(com|org|net|de|co\.uk|io|dev)", fullmatch=True)
BEFORE = st.sampled_from(["", " ", "\n", "<", "(", '"', "'", "mailto:", "\t", "=", ": ", "，", "写", "|", "/* "])
AFTER = st.sampled_from(
    ["", " ", "\n", ">", ")", '"', "'", ", ", ". ", ";", "\r\n", "，", "写", "|", " */", "?subject=x"]
)


@given(LOCAL, DOMAIN, BEFORE, AFTER)
def test_any_address_is_found_whole(detected, local, domain, before, after):
    if domain.partition(".")[0].startswith(
        ("example", "your", "my", "our", "some", "any", "other", "the", "domain", "xxx")
    ):
        return
    if sum(one.isdigit() for one in local) > 9:
        return
    text = f"{before}{local}@{domain}{after}"
    found = detected(text, emails.DETECTORS)
    assert [(one.start, one.end) for one in found] == [(len(before), len(before) + len(local) + 1 + len(domain))]


@given(st.text(alphabet=" @.%\\<>()[]:/-_+aZ0é写#64;x40dotatDOTAT\n", max_size=200))
def test_any_text_is_survived_and_spans_are_within_it(detected, text):
    for one in detected(text, emails.DETECTORS):
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end].strip() == text[one.start : one.end]
