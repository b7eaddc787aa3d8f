"""Classes of licences and of expressions, and the table they come from."""

import subprocess
import sys
from collections import Counter
from importlib.metadata import version

import pytest

from starloom.licenses import categories
from starloom.licenses.categories import NEUTRAL, canonical, entry, expression_class, license_class


@pytest.mark.parametrize(
    ("spdx_id", "expected"),
    [
        ("MIT", "permissive"),
        ("mit", "permissive"),  # SPDX ids have no case
        ("Apache-2.0", "permissive"),
        ("BSD-3-Clause", "permissive"),
        ("Unlicense", "permissive"),
        ("LicenseRef-scancode-public-domain", "permissive"),
        ("BlueOak-1.0.0", "permissive"),
        ("GPL-3.0-only", "non_permissive"),
        ("GPL-2.0", "non_permissive"),  # deprecated ids
        ("GPL-2.0+", "non_permissive"),
        ("LGPL-2.1-or-later", "non_permissive"),
        ("MPL-2.0", "non_permissive"),
        ("CC-BY-NC-4.0", "non_permissive"),
        ("BUSL-1.1", "non_permissive"),
        ("LicenseRef-scancode-proprietary-license", "non_permissive"),
        ("LicenseRef-scancode-unknown-license-reference", "non_permissive"),
        ("LicenseRef-scancode-dco-1.1", "neutral"),
        ("LicenseRef-scancode-generic-exception", "neutral"),
        # On Blue Oak's list, but ScanCode calls them copyleft or restricted.
        ("Artistic-2.0", "non_permissive"),
        ("Ruby", "non_permissive"),
        ("BSD-3-Clause-No-Nuclear-Warranty", "non_permissive"),
        ("Apache-2.0+", "permissive"),
        ("NOASSERTION", None),
        ("LicenseRef-mine", None),
        ("", None),
    ],
)
def test_license_class(spdx_id, expected):
    assert license_class(spdx_id) == expected


def test_table_is_whole():
    rows = categories._table().values()
    assert Counter(row.license_class for row in rows) == {"non_permissive": 1380, "permissive": 1060, "neutral": 10}
    assert {row.id for row in rows if row.license_class == "neutral"} == NEUTRAL
    conflicts = [r for r in rows if r.blue_oak and r.license_class != "permissive"]
    assert len(conflicts) == 21
    permissive = {"Permissive", "Public Domain"}
    assert all((r.category in permissive) == (r.license_class == "permissive") for r in rows if r.category)


def test_table_is_reproducible():
    """Ids and categories from the index that license-expression ships; the ratings as they are in the table."""
    from license_expression import get_license_index

    index = get_license_index()
    rated: dict[str, list[dict[str, str]]] = {}
    for row in categories._table().values():
        if row.blue_oak:
            rated.setdefault(row.blue_oak, []).append({"id": row.id})
    blue_oak = [{"name": name, "licenses": licenses} for name, licenses in rated.items()]
    assert sum(map(len, rated.values())) == 224
    if version("license-expression") != "30.4.4":
        pytest.skip("another version of license-expression has another index")
    assert categories.describe(index, blue_oak) == categories._TABLE.read_text(encoding="ascii")


def test_canonical():
    assert canonical("apache-2.0") == "Apache-2.0"
    assert canonical("gpl-2.0+") == "GPL-2.0+"  # an id of its own
    assert canonical("mit+") == "MIT+"
    assert canonical("nothing") is None
    assert entry("mpl-2.0").blue_oak == ""


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("MIT OR GPL-2.0-only", "permissive"),  # the reader picks
        ("MIT AND GPL-2.0-only", "non_permissive"),
        ("MIT AND Apache-2.0", "permissive"),
        ("MIT AND (GPL-2.0-only OR BSD-2-Clause)", "permissive"),
        ("MIT OR GPL-2.0-only AND Apache-2.0", "permissive"),  # AND binds closer
        ("(MIT OR GPL-2.0-only) AND MPL-2.0", "non_permissive"),
        ("GPL-2.0-only WITH Classpath-exception-2.0", "non_permissive"),
        ("Apache-2.0 WITH LLVM-exception", "permissive"),
        ("MIT AND LicenseRef-scancode-dco-1.1", "permissive"),  # neutral changes nothing
        ("GPL-2.0-only AND LicenseRef-scancode-dco-1.1", "non_permissive"),
        ("GPL-2.0-only OR LicenseRef-scancode-dco-1.1", "neutral"),
        ("LicenseRef-scancode-dco-1.1", "neutral"),
        ("MIT OR LicenseRef-mine", "permissive"),
        ("LicenseRef-mine", "non_permissive"),
        ("mit or gpl-3.0-only", "permissive"),
        ("", "non_permissive"),
        ("MIT OR", "non_permissive"),  # malformed
    ],
)
def test_expression_class(expression, expected):
    assert expression_class(expression) == expected


def test_no_slow_import():
    program = (
        "import sys; from starloom.licenses import categories, metadata, notices, texts, verdict;"
        "assert categories.expression_class('MIT') == 'permissive'; assert 'license_expression' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
