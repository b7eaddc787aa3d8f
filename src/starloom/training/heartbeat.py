"""Whether the other processes of a run live: each beats every few seconds, and ends itself when another falls silent.

A process that dies closes its connections, and torchrun ends the others of its machine at once. A machine that loses
power closes nothing: its peers would wait for its part of a sum until their patience ends. So each process counts up in
torchrun's key-value store, from a thread of its own over a connection of its own, and looks whether the others do. All
stop within a minute; the same command goes on from the last checkpoint.
"""

import os
import threading
import time
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Final

from torch import distributed

EVERY: Final = 5.0  # seconds between two beats
SILENT: Final = 40.0  # seconds without one, after which a process counts as dead
_LEFT: Final = 1 << 40  # beats of a process that left in good order: no other one comes to so many


class Heartbeat:
    """Of process `rank` of `size`, while its block runs. MASTER_ADDR and MASTER_PORT lead to the store."""

    def __init__(self, rank: int, size: int) -> None:
        self._rank, self._size = rank, size
        # A torchrun that restarts its processes (--max-restarts) keeps the store, with what their earlier lives said.
        life = [os.environ.get(f"TORCHELASTIC_{name}", "0") for name in ("RUN_ID", "RESTART_COUNT")]
        self._prefix = "/".join(["starloom", *life])
        self._store: Any = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> "Heartbeat":
        self._connect()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(EVERY)
        # Who leaves by an error must be missed: others wait for its part.
        if kind in (None, KeyboardInterrupt):
            with suppress(Exception):  # the store may have left before us
                self._store.add(self._key(self._rank), _LEFT)

    def is_news(self, what: str) -> bool:
        """Whether no other process has told of the same; it counts as told then."""
        mine = str(self._rank)
        with suppress(Exception):  # the store went with the process that held it: all that is left is to tell
            self._connect()
            teller: bytes = self._store.compare_set(f"{self._prefix}/told/{what}", "", mine)
            return teller == mine.encode()
        return True

    def _connect(self) -> None:
        if self._store is None:
            address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
            store = distributed.TCPStore  # type: ignore[attr-defined]  # public, and not in its __all__
            self._store = store(address, port, is_master=False, timeout=timedelta(seconds=SILENT))

    def _beat(self) -> None:
        heard = {rank: (0, time.monotonic()) for rank in range(self._size) if rank != self._rank}  # count, when it rose
        while not self._stop.wait(EVERY):
            try:
                self._store.add(self._key(self._rank), 1)
                counts = {rank: self._store.add(self._key(rank), 0) for rank in heard}
            except Exception as problem:
                if not self._stop.is_set():
                    _end(f"torchrun's store does not answer ({problem})")
                return
            now = time.monotonic()
            for rank, count in counts.items():
                if count >= _LEFT:
                    del heard[rank]
                elif count > heard[rank][0]:
                    heard[rank] = count, now
                elif now - heard[rank][1] > SILENT:
                    _end(f"process {rank} has been silent for {SILENT:.0f} s")

    def _key(self, rank: int) -> str:
        return f"{self._prefix}/beat/{rank}"


def _end(why: str) -> None:
    """This process, at once: its main thread waits in a call that nothing interrupts."""
    words = f"error: {why}: the run ends; the same command goes on from its last checkpoint\n"
    os.write(2, words.encode())  # not through sys.stderr, whose lock the main thread may hold
    os._exit(1)
