"""Extensions that say little by themselves: confirmed by the text, or no language."""

import pytest

from starloom.languages.ambiguous.doubtful import RULES
from starloom.languages.detect import detect

CONFIRMED = [
    ("app", '{application, demo,\n [{vsn, "1"}]}.\n', "Erlang"),
    ("app", "%% comment\n{ application\n, demo, []}.\n", "Erlang"),
    ("cmp", "G75*\n%MOIN*%\n%FSLAX25Y25*%\nD10*\n", "Gerber Image"),
    ("com", "$! build\n$ set noon\n$ exit\n", "DIGITAL Command Language"),
    ("me", '.\\" notes\n.ti\n.sh 1 Title\ntext\n', "Roff"),
    ("pub", "ssh-ed25519 AAAAC3Nza user@host\n", "Public Key"),
    ("pub", "-----BEGIN PUBLIC KEY-----\nMFkw\n", "Public Key"),
    ("resource", "*** Settings ***\nLibrary  Browser\n", "RobotFramework"),
    ("sig", "signature QUEUE =\nsig\n  type 'a queue\nend\n", "Standard ML"),
    ("sig", "(* queue *)\n", "Standard ML"),
    ("stl", "solid cube\n facet normal 0 0 1\n", "STL"),
    ("tag", '<%@ tag body-content="empty" %>\n', "Java Server Pages"),
    ("tag", '<c:if test="x">y</c:if>\n', "Java Server Pages"),
    ("url", "[InternetShortcut]\r\nURL=https://example.org/\r\n", "INI"),
]
OTHER = [
    ("app", "name: demo\n"),
    ("cmp", "component 1 x\n"),
    ("com", "@echo off\n"),
    ("com", "MZ\x90\x00\x03"),
    ("me", "Read this first.\n\n... and then that.\n"),
    ("pub", "A pub is open.\n"),
    ("resource", "key=value\n"),
    ("sig", "-----BEGIN PGP SIGNATURE-----\n\niQ==\n"),
    ("stl", "\x00\x00\x80?"),
    ("tag", "v1.0\n"),
    ("url", "https://example.org/\n"),
    ("url", ""),
]


@pytest.mark.parametrize(("extension", "text", "language"), CONFIRMED, ids=range(len(CONFIRMED)))
def test_confirmed(extension, text, language):
    found = detect(f"a.{extension}", text)
    assert (found.language, found.by) == (language, "rule")
    assert found.reason


@pytest.mark.parametrize(("extension", "text"), OTHER, ids=range(len(OTHER)))
def test_anything_else(extension, text):
    assert detect(f"a.{extension}", text) is None


def test_every_extension_is_tested():
    assert {extension for extension, *_ in CONFIRMED} == {extension for extension, *_ in OTHER} == set(RULES)
