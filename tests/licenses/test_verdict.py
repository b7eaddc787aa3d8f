"""The decision order of The Stack v2, one row for each turn of its five steps."""

import pytest

from starloom.licenses.verdict import license_type

_UNKNOWN = "LicenseRef-scancode-unknown-license-reference"
_DCO = "LicenseRef-scancode-dco-1.1"
_WARRANTY = "LicenseRef-scancode-warranty-disclaimer"


@pytest.mark.parametrize(
    ("declared", "detected", "expected"),
    [
        # 1. A permissive declaration decides, whatever was detected.
        ("MIT", [], "permissive"),
        ("MIT", ["GPL-3.0-only"], "permissive"),
        ("MIT OR GPL-2.0-only", [], "permissive"),  # ours: a choice is as good as its best
        # 2. So does any other, except NOASSERTION.
        ("GPL-3.0-only", ["MIT"], "non_permissive"),
        ("MIT AND GPL-2.0-only", ["MIT"], "non_permissive"),
        ("LicenseRef-unheard-of", ["MIT"], "non_permissive"),
        (_DCO, ["MIT"], "non_permissive"),
        # 3. Nothing detected.
        (None, [], "no_license"),
        ("", [], "no_license"),
        ("NOASSERTION", [], "non_permissive"),
        # 4. References to unknown licences are overlooked beside a permissive one, and only there.
        (None, ["MIT", _UNKNOWN], "permissive"),
        (None, [f"MIT AND {_UNKNOWN}"], "permissive"),
        (None, [_UNKNOWN], "non_permissive"),
        (None, [_UNKNOWN, _DCO], "non_permissive"),
        (None, ["MIT", "LicenseRef-scancode-proprietary-license"], "non_permissive"),
        # 5. Permissive ones and no others; only neutral ones; else.
        (None, ["MIT"], "permissive"),
        ("NOASSERTION", ["MIT"], "permissive"),
        (None, ["MIT", "Apache-2.0", _DCO], "permissive"),
        (None, [_DCO, _WARRANTY], "no_license"),
        ("NOASSERTION", [_DCO], "no_license"),
        (None, ["MIT", "GPL-2.0-only"], "non_permissive"),
        (None, ["GPL-2.0-only"], "non_permissive"),
        (None, ["MIT OR GPL-2.0-only"], "permissive"),
        (None, ["MIT OR GPL-2.0-only", "MPL-2.0"], "non_permissive"),
        (None, ["not an expression ("], "non_permissive"),
        (None, ["MIT", "NOASSERTION"], "permissive"),
        (None, ["NOASSERTION"], "non_permissive"),
    ],
)
def test_license_type(declared, detected, expected):
    assert license_type(declared, detected) == expected
