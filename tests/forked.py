"""Commands in processes of their own, forked from one that has done such work before: up to three seconds less each.

Python's fork server is a clean process, so no thread and no lock of the tests is copied. A test about imports, the
environment at the start or Ctrl-C starts a process itself.
"""

import multiprocessing
import os
import subprocess
import sys
import tempfile
import unittest.mock
from multiprocessing import forkserver
from pathlib import Path

# The server's: not what the test that happens to need it first made of it; and where this folder's modules are.
_ENVIRONMENT = dict(os.environ)
_ENVIRONMENT["PYTHONPATH"] = os.pathsep.join(filter(None, [str(Path(__file__).parent), os.environ.get("PYTHONPATH")]))

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["httpx", "forked", "at_work"])


def starloom(arguments, cwd, timeout):
    """The finished process, as `subprocess.run` gives it."""
    with unittest.mock.patch.dict(os.environ, _ENVIRONMENT, clear=True):
        forkserver.ensure_running()
    with tempfile.TemporaryDirectory(prefix="starloom-forked-") as folder:
        place = Path(folder)
        process = _processes.Process(
            target=_run,
            args=(arguments, str(cwd or Path.cwd()), dict(os.environ), str(place / "out"), str(place / "err")),
        )
        process.start()
        process.join(timeout)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(arguments, timeout)
        out, err = ((place / name).read_text("utf-8", "replace") for name in ("out", "err"))
        return subprocess.CompletedProcess(arguments, process.exitcode, out, err)


def _run(arguments, cwd, environment, out, err):
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(cwd)
    for path, stream in ((out, sys.stdout), (err, sys.stderr)):
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, stream.fileno())
        os.close(descriptor)
    os.fsync = lambda descriptor: os.fstat(descriptor) and None  # as in the tests: no command here waits for the disk
    sys.argv = ["-c", *arguments]
    from starloom.commands import main

    main()
