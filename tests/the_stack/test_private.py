"""The signal `private`: what detectors and a model of one's own find, from the build to the dataset."""

import pyarrow.parquet as pq
import pytest

from privacy.test_names_model import save
from starloom.errors import UserError
from the_stack import building

TEXT = b"# by grace@cobol-museum.dev\n# thanks to Ada Lovelace , who wrote it\n"


@pytest.fixture
def source(tmp_path):
    return building.folder(tmp_path / "s", {"LICENSE": building.MIT, "a.py": TEXT + building.code("a")})


def counts(made):
    (path,) = (made.root / "signals" / "private").glob("*/private.parquet")
    return [(one["emails"], one["names"]) for one in pq.read_table(path).to_pylist() if one["emails"] or one["names"]]


def content(made):
    rows = pq.read_table(made.root / "dataset" / "files").to_pylist()
    return next(one["content"] for one in rows if one["path"] == "a.py")


def test_a_model_finds_what_detectors_do_not(source, tmp_path):
    save(tmp_path / "model")
    plain = building.Workspace(tmp_path / "plain", source).build()
    asked = building.Workspace(
        tmp_path / "asked", source, extra=f'{building.ENGINE}\n[names]\nmodel = "{tmp_path / "model"}"\n'
    ).build()
    assert (counts(plain), counts(asked)) == ([(1, 0)], [(1, 1)])
    assert content(plain) == content(asked).replace("<NAME>", "Ada Lovelace")
    assert content(asked).startswith("# by <EMAIL>\n# thanks to <NAME> , who wrote it\n")


def test_another_model_measures_again_and_only_that(source, tmp_path):
    save(tmp_path / "asked" / "model")  # a relative folder is the workspace's
    made = building.Workspace(
        tmp_path / "asked", source, extra=f'{building.ENGINE}\n[names]\nmodel = "model"\n'
    ).build()
    assert counts(made) == [(1, 1)]
    (lines,) = (made.root / "signals" / "lines").glob("*/lines.parquet")
    before = (lines.stat().st_ino, lines.stat().st_mtime_ns)
    save(made.root / "model", words={"def": "O", "x": "O"})
    made.build()
    assert counts(made) == [(1, 0)]
    assert (lines.stat().st_ino, lines.stat().st_mtime_ns) == before


def test_a_model_that_is_not_there(source, tmp_path):
    made = building.Workspace(tmp_path / "w", source, extra=f'{building.ENGINE}\n[names]\nmodel = "nowhere"\n')
    with pytest.raises(UserError, match="nowhere is no folder"):
        made.build()
