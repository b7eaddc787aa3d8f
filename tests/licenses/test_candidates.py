"""Which file names may hold a licence: the published pattern, and a faster form of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.licenses.candidates import PUBLISHED, is_license_candidate, is_license_text


@pytest.mark.parametrize(
    ("path", "candidate"),
    [
        ("LICENSE", True),
        ("license.txt", True),
        ("Licence", True),
        ("LICENCES", True),
        ("LISENCE", True),
        ("a/b/LICENSE-MIT", True),
        ("LICENSE/readme.c", True),  # by its own name
        ("LICENSE/main.c", False),  # folders do not count
        ("my license.md", True),
        ("mylicense.md", False),
        ("licensed.txt", False),
        ("COPYING", True),
        ("COPYING3", True),
        ("COPYING.LESSER", True),
        ("copyleft", True),
        ("COPYRIGHT", True),
        ("UNLICENSE", True),
        ("gpl-3.0.txt", True),
        ("LGPLv2.1", True),
        ("agpl.md", True),
        ("bsdl", True),
        ("mitx.txt", True),
        ("MIT", True),
        ("commit.py", False),
        ("apache.conf", True),  # no licence: content decides
        ("artistic.txt", True),
        ("eupl", True),
        ("gfdl-1.3.texi", True),
        ("cpl.txt", True),
        ("mpl", True),
        ("epl", False),
        ("cc0.txt", True),
        ("al2.0", True),
        ("AL", True),
        ("ABOUT", True),
        ("NOTICE", True),
        ("notices.txt", False),
        ("README.md", True),
        ("read.me", False),
        ("CONTRIBUTING-guidelines.md", True),
        ("legal.txt", True),
        ("disclaimer", True),
        ("main.py", False),
        ("", False),
        ("licenſe", True),  # long s: `re` folds it
        ("LICENSE\n", True),  # `$` matches before a final line end
        ("x\nLICENSE", False),
    ],
)
def test_names(path, candidate):
    assert is_license_candidate(path) is candidate


_piece = st.sampled_from(
    ["license", "LICENSE", "licences", "copying", "3", "v2", "gpl", "agpl", "mit", "x", "al", "2.0", "readme", "notice"]
) | st.sampled_from(["-", "_", ".", " ", "\n", "/", "ſ", "٣", "K", "main", "py", "cpl", "cc0", "bsd", "l"])


@given(st.one_of(st.lists(_piece).map("".join), st.text()))
def test_same_as_published(path):
    assert is_license_candidate(path) is (PUBLISHED.match(path.rpartition("/")[2]) is not None)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("LICENSE", True),
        ("docs/licence.txt", True),
        ("LICENSE-MIT", True),
        ("LICENSE.APACHE", True),
        ("LICENSE_1_0.txt", True),
        ("COPYING", True),
        ("COPYING.LESSER", True),
        ("COPYING3", True),
        ("UNLICENSE", True),
        ("OpenBLAS_LICENSE", True),
        ("NOTICE", False),  # names others, grants nothing
        ("README.md", False),
        ("ABOUT", False),
        ("license.py", False),  # code about licences
        ("licenses.json", False),
        ("license-checker.js", False),
        ("copyright", False),  # of Debian: many licences, each for some files
        ("legal.md", False),
        ("", False),
    ],
)
def test_files_that_are_a_license(path, expected):
    assert is_license_text(path) is expected
