"""A stage or signal whose output changes must say so by its VERSION: else old outputs would pass for fresh ones.

`versions.json` holds, for each (stage or signal, VERSION), a digest of what it makes of a fixed corpus. After a change
that is meant, raise the VERSION and run `STARLOOM_WRITE_VERSIONS=1 pytest tests/the_stack/test_versions.py`.
"""

import hashlib
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from starloom.stages import all_stages
from starloom.the_stack import tables
from starloom.the_stack.signal import all_signals
from the_stack.test_build import make_sources

GOLDEN = Path(__file__).with_name("versions.json")
_PLACES = ("location", "state")  # where the test ran


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    from the_stack import building

    base = tmp_path_factory.mktemp("versions")
    root = building.Workspace(base / "workspace", *make_sources(base / "sources")).build().root
    outputs = {
        "list": [*tables.repositories(root), *tables.listed_files(root)],
        "read": [*tables.contents(root), *tables.refused(root)],
        "pair": [*tables.pairs(root), *tables.streams(root)],
        "decide": tables.ledger(root),
        "write": [*tables.dataset(root, "files", "train"), *tables.dataset(root, "repositories", "train")],
    }
    versions = {stage.name: stage.version for stage in all_stages() if stage.name in outputs}
    for signal in all_signals():
        outputs[f"signal {signal.name}"] = tables.signal(root, signal.name)
        versions[f"signal {signal.name}"] = signal.version
    return {f"{name} {versions[name]}": _digest(paths) for name, paths in outputs.items()}


def _digest(paths):
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    texts = sorted(repr({key: value for key, value in row.items() if key not in _PLACES}) for row in rows)
    assert texts
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def test_outputs_change_with_their_version_only(digests):
    if os.environ.get("STARLOOM_WRITE_VERSIONS"):
        GOLDEN.write_text(json.dumps(digests, indent=1) + "\n")
    assert digests == json.loads(GOLDEN.read_text())
