"""What every folder of tests shares: built workspaces, and the fault kit, importable as `faults` too."""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# Before anything loads PyTorch: tests run side by side, one core each.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

# Started in the background of a script, Ctrl-C is ignored, and every program that a test starts would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

sys.path.append(str(Path(__file__).parent))  # test modules are loaded by path: `from faults import …` needs a place

from faults import Kit

# No test pulls the plug, so what was written stays. Only programs that tests start afresh wait for the disk: a build
# does 200 times. A descriptor that is none is still refused.
os.fsync = lambda descriptor: os.fstat(descriptor) and None

# Fixed seeds, and no verdict that depends on how busy the machine is.
settings.register_profile("starloom", deadline=None, derandomize=True, database=None)
settings.load_profile("starloom")


@pytest.fixture
def workspace(tmp_path):
    """`workspace(*sources, name=…, recipe=…, extra=…)`: a built workspace; sources are paths or (path, rights)."""
    from the_stack import building  # here: most tests need no build, and its imports are slow

    def make(*sources, name="workspace", build=True, **options):
        made = building.Workspace(tmp_path / name, *sources, **options)
        return made.build() if build else made

    return make


@pytest.fixture
def faults(tmp_path):
    """The fault kit with a folder of its own, in memory where there is one: it runs hundreds of fsyncs a second."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield Kit(tmp_path / "faults")
        return
    scratch = Path(tempfile.mkdtemp(prefix="starloom-faults-", dir=memory))
    yield Kit(scratch)
    shutil.rmtree(scratch, ignore_errors=True)
