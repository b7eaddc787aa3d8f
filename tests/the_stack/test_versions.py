"""A stage or signal whose output changes must say so by its VERSION: else old outputs would pass for fresh ones.

`versions.json` holds, for each (stage or signal, VERSION), a digest of what it makes of a fixed corpus: of the rows,
and of the very bytes where the format is our own. tantivy's segments differ from build to build, so search is not here.
After a change that is meant, raise the VERSION and run
`STARLOOM_WRITE_VERSIONS=1 pytest tests/the_stack/test_versions.py`.
"""

import hashlib
import json
import os
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow import feather

from starloom.membership import tiles
from starloom.stages import all_stages, load_settings, token_stages
from starloom.the_stack import tables
from starloom.the_stack.signal import all_signals
from starloom.workspace.manifest import read_manifest
from starloom.workspace.run import build
from the_stack.test_build import make_sources

GOLDEN = Path(__file__).with_name("versions.json")
_PLACES = ("location", "state")  # where the test ran


@pytest.fixture(scope="module")
def digests(tmp_path_factory):
    from the_stack import building

    base = tmp_path_factory.mktemp("versions")
    root = (
        building.Workspace(
            base / "workspace",
            *make_sources(base / "sources"),
            building.folder(
                base / "sources" / "stated",
                {
                    "package.json": b'{"license": "ISC"}',
                    "s.js": b"let s = 1\n" * 9,
                    "mail.py": b"# by grace@cobol-museum.dev\nserver = '203.0.114.77'\n" + building.code("mail"),
                    "p.html": b"<html><title>A page</title><p>" + b"that says something " * 9,
                },
            ),
            extra=building.ENGINE + "\n[tokenizer]\nvocabulary = 400\n[syntax]\nenabled = true\n",
        )
        .build()
        .root
    )
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
    found = {f"{name} {versions[name]}": _digest(paths) for name, paths in outputs.items()}
    settings = load_settings(root)
    made = (*token_stages(), tiles.STAGE)
    build(root, made, settings, settings.engine, "test")
    return found | {f"{stage.name} {stage.version}": _content(root / stage.folder) for stage in made}


def _content(folder):
    """Of a whole folder; rows of Parquet and Arrow files, whose bytes are pyarrow's own."""
    files = [
        [file.name, _digest([folder / file.name]) if file.name.endswith((".parquet", ".arrow")) else file.sha256]
        for file in read_manifest(folder).files
    ]
    assert files
    return hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]


def _table(path):
    return pq.read_table(path) if path.suffix == ".parquet" else feather.read_table(path)


def _digest(paths):
    rows = [row for path in paths for row in _table(path).to_pylist()]
    texts = sorted(repr({key: value for key, value in row.items() if key not in _PLACES}) for row in rows)
    assert texts
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16]


def test_outputs_change_with_their_version_only(digests):
    if os.environ.get("STARLOOM_WRITE_VERSIONS"):
        GOLDEN.write_text(json.dumps(digests, indent=1) + "\n")
    assert digests == json.loads(GOLDEN.read_text())
