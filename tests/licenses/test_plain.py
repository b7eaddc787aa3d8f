"""Texts that nobody recognised: which of them metadata may name."""

import sysconfig
from pathlib import Path

import pytest

from starloom.licenses.plain import is_plainly_permissive

MIT_LIKE = "Permission is hereby granted, free of charge, to any of my friends to use this."


@pytest.mark.parametrize(
    "words",
    [
        "for evaluation only",
        "This is proprietary and confidential.",
        "under the GNU General Public License",
        "GPLv3",
        "for non-commercial use",
        "Commons Clause",
        "Creative Commons",
        "It must not be sold.",
        "Redistribution is prohibited.",
        "Mozilla Public License",
    ],
)
def test_one_grave_word_is_enough(words):
    assert is_plainly_permissive(MIT_LIKE)
    assert not is_plainly_permissive(f"{MIT_LIKE}\n{words}")


def test_no_grant_is_no_licence():
    assert not is_plainly_permissive("")
    assert not is_plainly_permissive("Copyright 2024. All rights reserved.")


def test_pythons_history_is_no_restriction():
    path = Path(sysconfig.get_paths()["stdlib"]) / "LICENSE.txt"
    if not path.exists():
        pytest.skip(f"{path} is missing")
    assert "GPL" in path.read_text()
    assert is_plainly_permissive(path.read_text())
