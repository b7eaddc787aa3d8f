"""Which kinds of licence a file is of."""

import pytest

from membership.told import file, match
from starloom.errors import UserError
from starloom.membership.license_of import kind, name, worst

COPYLEFT = [
    "GPL-3.0-only",
    "AGPL-3.0-or-later",
    "LGPL-2.1-only",
    "MPL-2.0",
    "EPL-2.0",
    "GPL-2.0+",
    "MIT AND GPL-2.0-only",
]
NOT = ["MIT", "MIT OR GPL-2.0-only", "Apache-2.0", "LicenseRef-scancode-proprietary-license", "", "not ( an expression"]


@pytest.mark.parametrize(("license", "is_it"), [*((one, True) for one in COPYLEFT), *((one, False) for one in NOT)])
def test_copyleft(license, is_it):
    one = file(license=license)
    assert kind("copyleft")(one) is is_it
    assert all(kind("copyleft")(licensed) is is_it for licensed in match(one).licenses)


@pytest.mark.parametrize(
    ("asked", "license", "is_it"),
    [
        ("any", "MIT", True),
        ("unlicensed", "", True),
        ("unlicensed", "MIT", False),
        ("non_permissive", "GPL-3.0-only", True),
        ("non-permissive", "GPL-3.0-only", True),
        ("non_permissive", "", False),  # nothing was found: unlicensed
        ("non_permissive", "MIT", False),
        ("gpl-3.0-only", "GPL-3.0-only", True),
        ("GPL-*", "GPL-2.0-or-later", True),
        ("GPL-*", "AGPL-3.0-only", False),
        ("GPL-2.0+", "GPL-2.0+", True),
        ("GPL", "GPL-2.0-or-later", True),  # every version
        ("GPL", "LGPL-2.1-only", False),
        ("GPL-3.0", "GPL-3.0-or-later", True),
        ("GPL-3.0", "GPL-2.0-only", False),
        ("Apache", "Apache-2.0", True),
        ("MIT", "MIT-0", False),  # another licence
        ("MIT", "MIT OR Apache-2.0", False),  # the other can be chosen
        ("MIT", "MIT AND Apache-2.0", True),
    ],
)
def test_kinds(asked, license, is_it):
    one = file(license=license)
    assert kind(asked)(one) is is_it
    assert kind(asked)(match(one).licenses[0]) is is_it


@pytest.mark.parametrize("asked", ["GPLv3", "GPL-9.0", "", "Copy Left", "nothing-*"])
def test_unknown(asked):
    with pytest.raises(UserError, match="no licence is called") as caught:
        kind(asked)
    assert "copyleft, non_permissive, unlicensed, any" in caught.value.hint


def test_what_is_like_no_licence_is_told_what_there_is():
    with pytest.raises(UserError) as caught:
        kind("bogus")
    assert caught.value.hint == (
        "one of copyleft, non_permissive, unlicensed, any, or an SPDX id, such as GPL-3.0-only or 'AGPL-*'"
    )


def test_names():
    assert name(file(license="MIT")) == "MIT"
    assert name(file(license="")) == "no license"
    assert name(file(license="", license_type=None)) == "unknown"  # which is not none
    assert name(file(license="", license_type="non_permissive")) == "unknown, non permissive"


@pytest.mark.parametrize("kind_of", ["no_license", None, "non_permissive"])
def test_what_has_no_name_is_no_expression(kind_of):
    (licensed,) = match(file(license="", license_type=kind_of)).licenses
    assert not kind("copyleft")(licensed)
    assert kind("unlicensed")(licensed) is (kind_of != "non_permissive")
    assert kind("non_permissive")(licensed) is (kind_of == "non_permissive")


def test_the_worst():
    def of(*licenses):
        return worst(match(*(file(license=one) for one in licenses)).licenses)

    assert of("MIT", "GPL-3.0-only", "") == "copyleft"
    assert of("MIT", "", "CC-BY-NC-4.0") == "non_permissive"
    assert of("MIT", "") == "unlicensed"
    assert of("MIT") == "permissive"
