"""Places read from Arrow's buffers, against Arrow itself."""

from unittest import mock

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from starloom.membership import places
from starloom.membership import rows as rows_of
from starloom.membership.matches import MatchedFile, Place
from starloom.membership.rows import Rows
from starloom.the_stack.origins import OCCURRENCES, Origin, origin

texts = st.sampled_from(["", "MIT", "a/b.py", "Ünïcode/😀.py", "x" * 300])
maybe = texts | st.none()
row = st.fixed_dictionaries(
    {"content_id": texts, "repo_name": texts, "path": texts, "split": texts, "in_dataset": st.booleans()}
    | dict.fromkeys(("revision_id", "version", "url", "license_type", "language"), maybe)
    | {"detected_licenses": st.lists(texts.filter(bool), max_size=3) | st.none()}
)


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(row, max_size=20), st.sampled_from([1, 4, 1 << 20]))
def test_rows(tmp_path, told, together):
    path = tmp_path / "origins.arrow"
    with path.open("wb") as file:
        places.write(file, pa.Table.from_pylist(told, OCCURRENCES))
    rows = Rows(path)
    assert len(rows) == len(told)
    expected = [origin(dict(one)) for one in told]
    assert [rows.place(row).origin for row in range(len(told))] == expected
    half = len(told) // 2
    with mock.patch.object(rows_of, "_TOGETHER", together):
        licenses = rows.licenses(np.array([0, half, 0]), np.array([half, len(told) - half, 0]))
    found = zip(licenses.of.tolist(), licenses.name.tolist(), licenses.number.tolist())
    kinds = [(one["license_type"] or None, tuple(sorted(one["detected_licenses"] or ()))) for one in told]
    counted = {
        (part, kind): some.count(kind) for part, some in enumerate((kinds[:half], kinds[half:])) for kind in some
    }
    assert {(part, licenses.names[name]): count for part, name, count in found} == counted


def test_no_places(tmp_path):
    with pytest.raises(OSError, match="nothing"):
        Rows(tmp_path / "nothing")


@pytest.mark.parametrize("lines", [(3, 3), (3, 9)])
@pytest.mark.parametrize("url", [None, "https://github.com/a/b", "https://example.org/a/b"])
def test_a_file_made_quickly(lines, url):
    place = Origin("a/b", "x y.py", "e" * 40, "1" * 40, url, "permissive", ("MIT",), "Python", "train", True)
    made = Place.of(place).file(5, 70, *lines)
    slowly = MatchedFile(
        **vars(place),
        start=5,
        end=70,
        first_line=lines[0],
        last_line=lines[1],
        swhid=made.swhid,
        permalink=made.permalink,
    )
    assert made == slowly
    assert list(vars(made)) == list(vars(slowly))
    assert made.swhid.endswith(";lines=3" if lines == (3, 3) else ";lines=3-9")
    assert (made.permalink or "").endswith(f"#L3-L{lines[1]}") == bool(url and "github" in url)
