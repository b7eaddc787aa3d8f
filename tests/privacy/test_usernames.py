"""Names of accounts: in homes, in tasks, and where somebody is thanked."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy import usernames
from starloom.privacy.finding import Finding


@pytest.fixture
def accounts(detected: Callable[..., list[Finding]]) -> Callable[[str], list[str]]:
    def accounts(text: str) -> list[str]:
        found = detected(text, usernames.DETECTORS)
        assert {one.kind for one in found} <= {"USERNAME"}
        return [text[one.start : one.end] for one in found]

    return accounts


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("open('/home/adaw/x.txt')", "adaw"),
        ("/home/ada.w-1/.config", "ada.w-1"),
        ("file:///home/adaw/x", "adaw"),
        ("PATH=/usr/bin:/home/adaw/bin", "adaw"),
        ("host:/home/adaw/x", "adaw"),
        ("/Users/adaw/Library", "adaw"),
        (r"C:\Users\adaw\AppData", "adaw"),
        (r"C:\\Users\\adaw\\AppData", "adaw"),
        ("c:/Users/adaw/AppData", "adaw"),
        ("// TODO(adaw): later", "adaw"),
        ("# FIXME(adaw) this", "adaw"),
        ("# NOTE(@adaw): so", "adaw"),
        ("Thanks @adaw", "adaw"),
        ("thanks to @adaw and @bo-loom!", "adaw|bo-loom"),
        ("Patch by @adaw.", "adaw"),
        ("Patch by @AdaWeaver.", "AdaWeaver"),
        ("fixed by @adaw in #12", "adaw"),
        ("cc @adaw, @bo-loom", "adaw|bo-loom"),
        ("([@adaw](https://github.com/adaw))", "adaw|adaw"),
        ("Author: @adaw", "adaw"),
    ],
)
def test_accounts(accounts, text, found):
    assert accounts(text) == found.split("|")
    assert accounts(f"a\n{text}\nb") == found.split("|")


@pytest.mark.parametrize(
    "text",
    [
        "/home/user/x",
        "/home/runner/work",
        "/home/ubuntu/x",
        "/home/photo.jpg/x",
        "/home/weaver.com/x",
        " * added by @TypeChecked",
        "/home/$USER/x",
        "/home/{name}/x",
        "/home/<name>/x",
        "/home/adaw",  # a route as well
        "https://weaver.dev/home/index/x",
        "/var/home/lib/x",
        "/users/42/posts",
        "/users/adaw/posts",
        "https://weaver.dev/Users/adaw/x",
        "/Users/Shared/x",
        r"C:\Users\Public\x",
        r"C:\Users\%USERNAME%\x",
        "TODO(#12)",
        "TODO(perf): faster",
        "todo(adaw): x",
        "fn todo(msg) {",
        "class Note(models): x",
        "TODO(b/1234): x",
        "@Override",
        "    @property",
        "annotated by @Inject",
        "see @adaw",
        "import x from '@adaw/package'",
        "thanks to adaw@weaver.dev",
        "[@internal](https://github.com/internal)",
        "replaced by @media(print)",
    ],
)
def test_what_is_no_account(accounts, text):
    assert accounts(text) == []


@given(st.text(alphabet="/homeUsers\\C:TODO()@ab. ,thanks\n", max_size=150))
def test_any_text_is_survived_and_spans_are_within_it(detected, text):
    for one in detected(text, usernames.DETECTORS):
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end].replace("-", "").replace(".", "").replace("_", "").isalnum()
