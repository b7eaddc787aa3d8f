"""The log: what was tampered with is told with file and line; what is personal can be erased, and it still verifies."""

import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.the_stack import opt_out_log as log
from starloom.the_stack.opt_out_log import FILE, HEAD, Wish
from starloom.workspace import operations


def wish(subject, **personal):
    return Wish("add", subject, "owner", "opt-out", personal=personal)


def write(root, *wishes):
    return log.append(root, lambda _: wishes, "test")


@pytest.fixture
def logged(tmp_path):
    """A workspace with three entries."""
    write(tmp_path, wish("alice", by="A. Person", proof="https://example.com/1"), wish("bob"))
    write(tmp_path, wish("carol", reason="their words"))
    return tmp_path


def lines(root):
    return (root / FILE).read_bytes().splitlines(keepends=True)


def test_what_was_written_is_read(logged):
    found = log.read(logged)
    assert [one.subject for one in found.entries] == ["alice", "bob", "carol"]
    assert found.entries[0].personal == {"by": "A. Person", "proof": "https://example.com/1"}
    assert found.active == found.entries
    assert (logged / FILE).stat().st_mode & 0o077 == 0


def test_it_only_grows(logged):
    before = (logged / FILE).read_bytes()
    write(logged, wish("dave"), Wish("withdraw", "bob", "owner", "opt-out", of=2))
    assert (logged / FILE).read_bytes().startswith(before)
    found = log.read(logged)
    assert [one.subject for one in found.active] == ["alice", "carol", "dave"]
    assert [one.subject for one in found.withdrawn] == ["bob"]


def edited(root, number, change):
    some = lines(root)
    body = json.loads(some[number - 1])
    change(body)
    some[number - 1] = json.dumps(body).encode() + b"\n"
    (root / FILE).write_bytes(b"".join(some))


DAMAGES = {
    "subject": (lambda root: edited(root, 2, lambda body: body.update(subject="bobby")), ":2: the entry was edited"),
    "date": (lambda root: edited(root, 1, lambda body: body.update(at="2020-01-01T00:00:00+00:00")), ":1: "),
    "more": (lambda root: edited(root, 1, lambda body: body.update(note="x")), ":1: the entry was edited"),
    "personal": (lambda root: edited(root, 1, lambda body: body["personal"]["by"].update(value="B.")), ":1: `by` was"),
    "dropped": (
        lambda root: edited(root, 1, lambda body: body.update(personal={})),
        ":1: its personal fields are gone",
    ),
    "removed": (lambda root: (root / FILE).write_bytes(b"".join([lines(root)[0], lines(root)[2]])), ":2: it does not"),
    "swapped": (lambda root: (root / FILE).write_bytes(b"".join(lines(root)[::-1])), ":1: it does not follow"),
    "cut": (lambda root: (root / FILE).write_bytes(b"".join(lines(root)[:2])), ":2: it ends here"),
    "gone": (lambda root: (root / FILE).unlink(), "is missing, and opt-outs.head"),
    "torn": (lambda root: (root / FILE).write_bytes((root / FILE).read_bytes()[:-9]), ":3: the line is torn"),
    "no JSON": (lambda root: (root / FILE).write_bytes(b"{]\n" + (root / FILE).read_bytes()), ":1: this is no entry"),
    "binary": (lambda root: (root / FILE).write_bytes(b"\xff\x00\r\n" * 3), ":1: this is no entry"),
    "deep": (lambda root: (root / FILE).write_bytes(b"[" * 100_000 + b"\n"), ":1: this is no entry"),
    "no head": (lambda root: (root / HEAD).unlink(), "cut after line 3, nobody can tell"),
    "bad head": (lambda root: (root / HEAD).write_text("three"), "opt-outs.head: it does not say"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_told_with_file_and_line(logged, damage):
    change, told = DAMAGES[damage]
    change(logged)
    with pytest.raises(UserError) as caught:
        log.read(logged)
    assert told in caught.value.problem
    assert caught.value.hint
    assert "A. Person" not in caught.value.problem + caught.value.hint
    with pytest.raises(UserError):
        write(logged, wish("more"))


def test_an_older_copy_of_the_log_is_told(logged):
    old = (logged / FILE).read_bytes()
    write(logged, wish("dave"))
    (logged / FILE).write_bytes(old)
    with pytest.raises(UserError, match=r":3: it ends here, and opt-outs.head says that 4 entries"):
        log.read(logged)


def test_another_log_of_the_same_length_is_told(logged, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    write(other, wish("x"), wish("y"), wish("z"))
    (logged / FILE).write_bytes((other / FILE).read_bytes())
    with pytest.raises(UserError, match=":3: this is not the entry that"):
        log.read(logged)


def test_a_torn_line_that_was_never_confirmed_can_be_mended(logged):
    with (logged / FILE).open("ab") as file:
        file.write(b'{"number": 4, "at"')
    with pytest.raises(UserError, match=r":4: the line is torn") as caught:
        log.read(logged)
    assert "verify --repair" in caught.value.hint
    assert len(log.repair(logged, "test")) == 1
    assert len(log.read(logged).entries) == 3
    assert log.repair(logged, "test") == []


def test_a_confirmed_line_that_is_torn_is_not_mended_away(logged):
    (logged / FILE).write_bytes((logged / FILE).read_bytes()[:-9])
    before = (logged / FILE).read_bytes()
    with pytest.raises(UserError, match="3 entries were written"):
        log.repair(logged, "test")
    assert (logged / FILE).read_bytes() == before


def test_a_missing_head_can_be_accepted(logged):
    (logged / HEAD).unlink()
    assert "taken to be whole with 3 entries" in log.repair(logged, "test")[0]
    assert len(log.read(logged).entries) == 3


def test_what_is_personal_is_erased_and_the_rest_verifies(logged):
    assert log.erase(logged, 1, "test") == ("by", "proof")
    text = (logged / FILE).read_text()
    assert "A. Person" not in text
    assert "example.com" not in text
    found = log.read(logged)
    assert found.entries[0].personal == {}
    assert set(found.entries[0].committed) == {"by", "proof"}
    assert found.entries[2].personal == {"reason": "their words"}
    assert [(one.action, one.of) for one in found.entries[3:]] == [("erase", 1)]
    assert found.active == found.entries[:3]
    assert (logged / FILE).stat().st_mode & 0o077 == 0
    assert log.erase(logged, 1, "test") == ()
    assert log.erase(logged, 2, "test") == ()
    write(logged, wish("dave", by="D"))
    assert len(log.read(logged).entries) == 5


def test_what_was_erased_does_not_come_back_unseen(logged):
    first = lines(logged)[0]
    log.erase(logged, 1, "test")
    (logged / FILE).write_bytes(b"".join([first, *lines(logged)[1:]]))
    with pytest.raises(UserError, match=":1: its personal fields were erased, and are back"):
        log.read(logged)


def test_the_same_words_have_another_hash_each_time(tmp_path):
    one, two = write(tmp_path, wish("a", by="A. Person"), wish("b", by="A. Person"))
    assert one.committed["by"] != two.committed["by"]


def test_an_entry_that_is_not_there(logged):
    with pytest.raises(UserError, match="no entry 9"):
        log.erase(logged, 9, "test")


def test_two_cannot_write_at_a_time(logged):
    def inner(_):
        return write(logged, wish("inner"))

    with pytest.raises(UserError, match="in use by"):
        log.append(logged, inner, "outer")


class Stopped(BaseException):
    """The process ends here."""


def test_stopped_anywhere_nothing_confirmed_is_lost(tmp_path, monkeypatch):
    """Every file-system operation of an append in turn is the last one."""
    for at in range(200):
        root = tmp_path / str(at)
        root.mkdir()
        write(root, wish("first"))
        seen = 0

        def stop(operation, path, at=at):
            nonlocal seen
            seen += 1
            if seen > at:
                raise Stopped
            return 20 if operation == "write" else None  # a short write tears the line

        monkeypatch.setattr(operations, "fault_hook", stop)
        try:
            write(root, wish("second"))
        except Stopped:
            done = False
        else:
            done = True
        monkeypatch.setattr(operations, "fault_hook", None)
        if not (root / FILE).read_bytes().endswith(b"\n"):
            with pytest.raises(UserError, match="torn"):
                log.read(root)
            log.repair(root, "test")
        found = log.read(root)
        assert [one.subject for one in found.entries] in (["first"], ["first", "second"])
        write(root, wish("third"))
        assert [one.subject for one in log.read(root).entries][-1] == "third"
        if done:
            assert [one.subject for one in found.entries] == ["first", "second"]
            return
    raise AssertionError("an append of more than 200 operations")


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=20), st.dictionaries(st.sampled_from(log.PERSONAL), st.text(max_size=30), max_size=3)
        ),
        max_size=8,
    ),
    st.data(),
)
def test_any_text_any_edit(tmp_path_factory, entries, data):
    root = tmp_path_factory.mktemp("log")
    write(root, *(Wish("add", subject, "owner", "other", personal=personal) for subject, personal in entries))
    found = log.read(root)
    assert [one.subject for one in found.entries] == [subject for subject, _ in entries]
    assert [dict(one.personal) for one in found.entries] == [
        {name: value for name, value in personal.items() if value} for _, personal in entries
    ]
    if not entries:
        return
    text = (root / FILE).read_bytes()
    at = data.draw(st.integers(0, len(text) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda one: one != text[at]))
    (root / FILE).write_bytes(text[:at] + bytes([byte]) + text[at + 1 :])
    with contextlib.suppress(UserError):
        assert log.read(root).entries == found.entries  # white space between the values is no change
