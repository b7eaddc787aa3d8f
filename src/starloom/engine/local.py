"""The embedded engine: a process pool for `map`, DuckDB with bounded memory for `query`.

DuckDB traps met here (measured before this was written): it loads extensions from the network unless told not to, and
keeps insertion order at a cost unless told not to; both are switched off, so every query that needs an order says it.
It reads any file that its SQL names: a query may read the tables it is given, and no other file. It makes a column of a
folder called `a=b`: switched off. `execute` copies all rows before the first one comes: `sql` streams them. A new
database registers three thousand functions, 15 to 20 ms, as long as a query of a small workspace takes: the last ones
are kept, each for questions about its own files, unless one met an error or did more than read. They keep nothing of a
file: it may have been replaced meanwhile.
"""

import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection, get_context, parent_process
from pathlib import Path
from types import FrameType
from typing import Any

import duckdb
import pyarrow as pa

from starloom.engine.verbs import EngineSettings, Item, Result, Table
from starloom.errors import UserError

_AHEAD = 2  # items handed out per worker, so that none waits for the parent
_KEPT = 4  # databases; a build and a report need no more, and each holds 2 MB and its threads


class LocalEngine:
    """Runs on this machine. `spill`: a folder of its own, removed at the end with all that is in it, where DuckDB puts
    what does not fit into its memory limit."""

    def __init__(self, settings: EngineSettings, spill: Path) -> None:
        self.settings = settings
        self.spill = spill
        self.workers = settings.workers or len(os.sched_getaffinity(0))
        self._pool: ProcessPoolExecutor | None = None
        self._databases: dict[tuple[Path, ...], duckdb.DuckDBPyConnection] = {}  # by the files they may read

    def __enter__(self) -> "LocalEngine":
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        self._databases.clear()
        shutil.rmtree(self.spill, ignore_errors=True)

    def map(self, function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[tuple[Item, Result]]:
        if not items:
            return
        if self.workers == 1 or len(items) == 1:  # nothing to share: no process to start
            for item in items:
                yield item, function(item)
            return
        if self._pool is None:
            # Forked from a clean server process: a fork of this one would copy locked threads of Arrow and DuckDB.
            self._pool = ProcessPoolExecutor(self.workers, get_context("forkserver"), initializer=_start_worker)
        waiting = list(reversed(items))
        running: dict[Future[Result], Item] = {}
        try:
            while waiting or running:
                while waiting and len(running) < self.workers * _AHEAD:
                    item = waiting.pop()
                    running[self._pool.submit(function, item)] = item
                finished, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in finished:
                    yield running.pop(future), future.result()
        except BrokenProcessPool:
            self._pool = None
            raise UserError(
                "a worker process died (most often: out of memory)",
                "set `workers = 1` under [engine] in starloom.toml, or free memory; then the same command goes on",
            ) from None
        finally:
            for future in running:
                future.cancel()

    @contextmanager
    def query(
        self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        with self._running(sql, tables, parameters) as (_, rows):
            yield rows

    @contextmanager
    def _running(
        self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, pa.RecordBatchReader]]:
        files = {path for table in tables.values() if not isinstance(table, pa.Table) for path in table}
        for path in files:
            if not path.exists():
                raise self._no_disk(FileNotFoundError(f"no such file: {path}"))
        paths = tuple(sorted(files))
        database = self._database(paths)
        connection = database.cursor()  # with views of its own
        try:
            for name, table in tables.items():
                if isinstance(table, pa.Table):
                    connection.register(name, table)
                else:
                    rows_of = f"read_parquet({_list(table)}, hive_partitioning = false)"
                    connection.execute(f'CREATE TEMP VIEW "{name}" AS SELECT * FROM {rows_of}')
            with _interruptible(connection):
                query = connection.sql(sql, params=dict(parameters) if parameters else None)
                rows = query.to_arrow_reader(100_000)
            yield connection, rows
            if _only_reads(connection, sql):
                self._keep(paths, database)
        except duckdb.OutOfMemoryException as problem:
            raise _no_memory(problem) from None
        except duckdb.IOException as problem:
            raise self._no_disk(problem) from None
        except (duckdb.Error, RuntimeError, OSError) as problem:
            if _is_interrupt(problem):
                raise KeyboardInterrupt from None
            # What goes wrong while the rows stream comes through Arrow, as text.
            if isinstance(problem, OSError) and problem.errno is None:
                if str(problem).startswith("Out of Memory Error"):
                    raise _no_memory(problem) from None
                if str(problem).startswith("IO Error"):
                    raise self._no_disk(problem) from None
            raise
        finally:
            connection.close()

    def _no_disk(self, problem: Exception) -> UserError:
        return UserError(
            f"a query could not read or spill: {str(problem).splitlines()[0]}",
            f"check free space in {self.spill}; `starloom verify` checks the workspace's files",
        )

    def table(self, sql: str, tables: Mapping[str, Table], parameters: Mapping[str, Any] | None = None) -> pa.Table:
        with self._running(sql, tables, parameters) as (connection, rows), _interruptible(connection):
            return rows.read_all()

    def _database(self, paths: tuple[Path, ...]) -> duckdb.DuckDBPyConnection:
        """One that may read these files, and no other, and that nobody is asking now: kept, or new."""
        try:
            self.spill.mkdir(parents=True, exist_ok=True)
        except OSError as problem:
            raise UserError(
                f"{self.spill}: no folder can be made here: {problem.strerror}",
                "free some space there, or name another folder as `spill` under [engine] in starloom.toml",
            ) from None
        if kept := self._databases.pop(paths, None):
            return kept
        database = self._connect()
        database.execute(f"SET allowed_paths = {_list(paths)}")  # SQL may come from a recipe of strangers:
        database.execute("SET enable_external_access = false")  # no other file, no network, no extension
        database.execute("SET lock_configuration = true")
        return database

    def _keep(self, paths: tuple[Path, ...], database: duckdb.DuckDBPyConnection) -> None:
        """For the next question about these files; the oldest makes room."""
        self._databases[paths] = database
        if len(self._databases) > _KEPT:
            self._databases.pop(next(iter(self._databases)), None)

    def _connect(self) -> duckdb.DuckDBPyConnection:
        memory = self.settings.memory
        if memory == "auto":
            memory = f"{max(1, _free_memory() // 2 >> 20)}MB"
        return duckdb.connect(
            config={
                "memory_limit": memory,
                "temp_directory": str(self.spill),
                "threads": self.workers,
                "preserve_insertion_order": False,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
                "python_enable_replacements": False,  # a table not given is an error, not a variable of this module
            }
        )


def _only_reads(connection: duckdb.DuckDBPyConnection, sql: str) -> bool:
    """Whether a query, which has run, leaves nothing behind that another could see, as a macro would be."""
    return [one.type for one in connection.extract_statements(sql)] == [duckdb.StatementType.SELECT]


@contextmanager
def _interruptible(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Ctrl-C stops the query and is raised when its native code has come back; raised in the middle of that, it may
    crash it. A second one is raised at once."""
    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, signal.SIG_DFL, None):
        yield
        return
    came = False

    def stop(_number: int, _frame: FrameType | None) -> None:
        nonlocal came
        if came:
            raise KeyboardInterrupt
        came = True
        connection.interrupt()

    signal.signal(signal.SIGINT, stop)
    try:
        yield
    except Exception:
        if came:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)
    if came:
        raise KeyboardInterrupt


def _list(paths: Sequence[Path]) -> str:
    """The paths as a list in SQL."""
    return "[" + ", ".join("'" + str(path).replace("'", "''") + "'" for path in paths) + "]"


def _is_interrupt(problem: Exception) -> bool:
    """Whether Ctrl-C is behind it: DuckDB and Arrow wrap what they meet, or stop with an error of their own."""
    text = str(problem)
    return "KeyboardInterrupt" in text or "Query interrupted" in text or isinstance(problem, duckdb.InterruptException)


def _no_memory(problem: Exception) -> UserError:
    return UserError(
        f"a query did not fit into memory: {str(problem).splitlines()[0]}",
        'raise `memory` under [engine] in starloom.toml (e.g. memory = "8GB")',
    )


def _start_worker() -> None:
    """Ctrl-C is the parent's to handle: it stops handing out work and the workers end with the pool. With a parent that
    was killed they end at once: else they would wait for ever, or write beside the next run."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(parent: int) -> None:
    connection.wait([parent])
    os._exit(1)


def _free_memory() -> int:
    """Bytes this process may still take: what is free, under the control group's limit where there is one."""
    free = 4 << 30
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                free = int(line.split()[1]) << 10
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        used = int(Path("/sys/fs/cgroup/memory.current").read_text())
        if limit != "max":
            free = min(free, int(limit) - used)
    except OSError:
        pass  # no /proc, no control group: the default stands
    return max(free, 512 << 20)
