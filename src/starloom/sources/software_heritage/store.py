"""Contents out of the archive's object store: gzip, named by plain SHA-1, fetched side by side, held to both hashes.

The store is what `outside/object_store` opens: `s3://…`, `https://…`, or a folder (whose objects may also lie there
plain). At most `parallel` objects are in flight, so memory is bounded by as many contents; requests keep to a rate. An
object is accepted when its bytes have the length that was listed and hash to `blob_id` (plain SHA-1) and `content_id`
(git's). What is missing, truncated, something else or not to be had is that content's problem. After GIVE_UP failures
of the store in a row the rest is not asked for any more in this call: the next run asks again.

Never run against the live archive: held to a real S3 protocol server in tests.
"""

import functools
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from starloom.identity import blob_id, content_id
from starloom.outside.http import HttpSettings
from starloom.outside.object_store import MissingError, ObjectStore, StoreError, TooLargeError, gunzip, open_store
from starloom.outside.paths import printable
from starloom.sources.prepared import PreparedFile
from starloom.sources.repository import Content

GIVE_UP = 20  # failures in a row that may pass, each after the retries of the store


@dataclass(frozen=True)
class StoreReader:
    """A `ContentReader` over an object store."""

    url: str
    settings: HttpSettings
    max_bytes: int = 1 << 30  # of a content whose length is not known

    def read(self, rows: Sequence[PreparedFile]) -> Iterator[Content]:
        store = _open(self.url, self.settings)
        failures = 0  # of the store, in a row
        waiting: deque[Future[tuple[Content, bool]]] = deque()
        iterator = iter(rows)
        with ThreadPoolExecutor(self.settings.parallel, thread_name_prefix="contents") as pool:
            try:
                while True:
                    while len(waiting) < self.settings.parallel and failures < GIVE_UP:
                        row = next(iterator, None)
                        if row is None:
                            break
                        waiting.append(pool.submit(_fetch, store, row, self.max_bytes))
                    if not waiting:
                        break
                    content, failed = waiting.popleft().result()
                    failures = failures + 1 if failed else 0
                    yield content
            finally:
                for future in waiting:
                    future.cancel()
        for row in iterator:
            yield Content(row.content_id, None, f"not asked for: the store failed {failures} times in a row")


@functools.lru_cache(maxsize=4)
def _open(url: str, settings: HttpSettings) -> ObjectStore:
    """One for the process, so that its connections and its rate serve all repositories."""
    return open_store(url, settings=settings)


def _fetch(store: ObjectStore, row: PreparedFile, max_bytes: int) -> tuple[Content, bool]:
    """(the answer, whether the store failed in a way that may pass)."""

    def problem(reason: str, failed: bool = False) -> tuple[Content, bool]:
        return Content(row.content_id, None, reason), failed

    if row.blob_id is None:
        return problem("its key in the object store is not known")
    size = max_bytes if row.size is None else row.size
    try:
        # Gzip makes incompressible data a little larger, never more than this.
        stored = store.get(row.blob_id, size + size // 1000 + 1024)
        plain = stored if blob_id(stored) == row.blob_id else gunzip(stored, size)
    except MissingError:
        return problem("missing from the object store")
    except TooLargeError:
        return problem(f"not the listed content: more than its {size:,} bytes")
    except StoreError as failure:
        return problem(f"unreadable: {printable(str(failure))}", failure.retryable)
    if row.size is not None and len(plain) != row.size:
        return problem(f"not the listed content: {len(plain):,} bytes instead of {row.size:,}")
    if blob_id(plain) != row.blob_id or content_id(plain) != row.content_id:
        return problem("not the listed content: its bytes do not hash to its name")
    return Content(row.content_id, plain), False
