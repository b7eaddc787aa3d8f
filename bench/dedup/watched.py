"""Commands in processes of their own: seconds of CPU and of the clock, and the most memory, children included.

CPU counts every process that ends with the command or before it, those too whose parents ended first: orphans become
ours, by PR_SET_CHILD_SUBREAPER of Linux. Memory is the largest sum of resident sizes seen, 50 times a second (`peak`: a
page that several processes share, or of a file that is mapped, counts in each), and of proportional sizes, once a
second (`shared once`: such a page counts as one).
"""

import contextlib
import ctypes
import json
import os
import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

_SET_CHILD_SUBREAPER = 36
_GRACE = 10.0  # seconds for what the command leaves running


def run(command: list[str], environment: dict[str, str] | None = None, limit: float = 3600) -> dict[str, Any]:
    """The JSON object that the command prints as its last line, with what it took: {"cpu", "wall", "peak"}.

    Where it says `before`, its CPU seconds when the work began, those are not in `cpu`; `wall` is what it says itself,
    else from start to end. A command that fails or is not done after `limit` seconds gives {"problem": …}.
    """
    if ctypes.CDLL(None, use_errno=True).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")
    started = time.monotonic()
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            command, stdout=out, stderr=errors, env=inherited | (environment or {}), start_new_session=True
        )
        cpu, peak, once, looked, late, ended = 0.0, 0, 0, started, False, 0.0
        while True:
            try:
                found, status, used = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            now = time.monotonic()
            if found:
                cpu += used.ru_utime + used.ru_stime
                if found == process.pid:
                    process.returncode, ended = os.waitstatus_to_exitcode(status), now
                continue
            peak = max(peak, sum(map(resident, tree(process.pid))))
            if now - looked > 1:
                once, looked = max(once, sum(map(proportional, tree(process.pid)))), now
            if now - (ended or started) > (_GRACE if ended else limit):
                late = late or not ended
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
            time.sleep(0.02)
        out.seek(0)
        errors.seek(0)
        said, complaint = out.read(), errors.read()
    wall = (ended or time.monotonic()) - started
    if process.returncode:
        reason = "took too long" if late else f"exit {process.returncode}: {complaint[-600:].strip()}"
        return {"problem": reason, "wall": wall, "cpu": cpu, "peak": peak}
    told: dict[str, Any] = json.loads(said.splitlines()[-1])
    cpu -= told.pop("before", 0.0)
    return {"cpu": cpu, "wall": wall, "peak": peak, "shared once": once} | told


def tree(pid: int) -> list[int]:
    """A process and those it started."""
    found = [pid]
    for one in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{one}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def resident(pid: int) -> int:
    """Bytes in memory of a process."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


def proportional(pid: int) -> int:
    """The same, a page that n processes share counted as one n-th."""
    try:
        found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0
