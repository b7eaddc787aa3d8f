"""Compiled kernels are kept in one folder, whose name changes with any source.

Numba itself does not notice an edit of a function in another file than the kernel that calls it.
"""

import importlib
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba.core import config
from numba.core.dispatcher import Dispatcher

import starloom.kernels
from starloom.kernels import cache, is_warm, lines, minhash, pairs, shingles, warm

SOURCES = Path(starloom.kernels.__file__).parent


@pytest.fixture
def sources(tmp_path):
    return Path(shutil.copytree(SOURCES, tmp_path / "kernels"))


def test_the_same_sources_give_the_same_name(sources):
    assert cache.source_hash(sources) == cache.source_hash() == cache.source_hash(SOURCES)


@pytest.mark.parametrize("name", ["decoding.py", "shingles.py", "code_points.tsv"])
def test_an_edit_gives_another_name(sources, name):
    before = cache.source_hash(sources)
    path = sources / name
    path.write_text(path.read_text() + "# edited\n")
    assert cache.source_hash(sources) != before


def test_a_new_file_or_name_gives_another_name(sources):
    before = cache.source_hash(sources)
    (sources / "pairs.py").rename(sources / "couples.py")
    renamed = cache.source_hash(sources)
    (sources / "more.py").touch()
    assert len({before, renamed, cache.source_hash(sources)}) == 3


def test_compiled_files_do_not_count(sources):
    before = cache.source_hash(sources)
    (sources / "__pycache__").mkdir(exist_ok=True)
    (sources / "__pycache__" / "pairs.cpython-311.pyc").touch()
    assert cache.source_hash(sources) == before


def test_every_kernel_is_kept_there():
    kernels = {
        name: value
        for module in pkgutil.iter_modules(starloom.kernels.__path__)
        for name, value in vars(importlib.import_module(f"starloom.kernels.{module.name}")).items()
        if isinstance(value, Dispatcher)
    }
    assert len(kernels) > 10
    for name, kernel in kernels.items():
        assert Path(kernel._cache.cache_path).is_relative_to(cache.cache_folder()), name


def test_other_users_of_numba_keep_their_folder(monkeypatch, tmp_path):
    monkeypatch.setattr(config, "CACHE_DIR", str(tmp_path))
    cache.kernel(lambda x: x)
    assert str(tmp_path) == config.CACHE_DIR


def test_the_users_cache_folder(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache.cache_folder.__wrapped__()
    assert folder == tmp_path / "starloom" / f"kernels-{cache.source_hash()}"
    assert folder.is_dir()


def test_a_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    folder = cache.cache_folder.__wrapped__()
    assert folder.is_dir()
    assert not folder.is_relative_to(tmp_path)


def test_warm_compiles_all_that_is_needed():
    """One compilation a kernel, whatever kind of array is handed in: Arrow's are read-only, NumPy's are not."""
    assert warm() >= 0
    assert is_warm()
    assert is_warm("found texts")
    text = np.frombuffer(b"one two three four five six seven", dtype=np.uint8)
    for data in (text, text.copy()):
        for offsets in (np.array([0, 20]), np.array([0, 20], dtype=np.int32), np.array([0, 9, 20, 9])[::2]):
            lines.line_statistics(offsets, data)
            shingles.token_counts_and_stream_hash(offsets, data)
            bounds, sets = shingles.shingle_sets(offsets, data)
            minhash.band_hashes(minhash.signatures(offsets, data)[0], 50, 5)
            pairs.jaccard(bounds.astype(np.int32), sets, np.array([0]), np.array([0], dtype=np.int32), 1)
    entries = [lines._count, shingles._count_tokens, shingles._shingle_batch, shingles._unique_in_place]
    entries += [minhash._signatures, minhash._band_hashes, pairs._jaccard]
    assert [len(entry.signatures) for entry in entries] == [1] * len(entries)


@pytest.mark.parametrize("package", ["starloom.kernels", "starloom.dedup"])
def test_importing_the_package_brings_no_numba(package):
    program = f"import sys, {package}; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("module", ["lines", "shingles", "sigma", "minhash", "pairs", "decoding"])
def test_each_module_can_be_the_first(module):
    program = f"""
from numba.core.dispatcher import Dispatcher
from starloom.kernels import {module}, cache
kernels = [one for one in vars({module}).values() if isinstance(one, Dispatcher)]
assert kernels
assert all(one._cache.cache_path.startswith(str(cache.cache_folder())) for one in kernels)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("content", ["[1, 2]\n", "disable_jit: 1\n", "{torn"], ids=["list", "switch", "torn"])
def test_a_configuration_of_numba_in_the_current_folder_is_not_read(tmp_path, content):
    (tmp_path / ".numba_config.yaml").write_text(content)
    program = """
from starloom.kernels.fold import fold_with_map
import numpy as np
from numba.core import config
import os
assert fold_with_map(np.frombuffer(b"a  b", np.uint8))[0].tobytes() == b"a b"
assert not config.DISABLE_JIT
print(os.getcwd())
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == str(tmp_path)


def test_a_leaf_counts_no_references():
    """Which is safe as long as it returns no array: what it is given lives on, and nothing is freed twice."""

    @cache.leaf
    def last(line):
        return line[len(line) - 1 :][0]

    assert not last.targetoptions["_nrt"]
    data = np.arange(9, dtype=np.uint8)
    before = sys.getrefcount(data)
    assert [last(data[:size]) for size in range(1, 10)] == list(range(9))
    assert sys.getrefcount(data) == before
