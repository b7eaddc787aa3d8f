"""Where Arrow takes memory from while much of it is used again and again."""

import contextlib
from collections.abc import Iterator

import pyarrow as pa


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """From the C library, which keeps what is freed for the next table. Arrow's own pool gives it back in between: a
    page fault for each 4 KB."""
    pool = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(pool)
