"""What a Parquet footer of a stranger states, looked at before anything is read.

Not covered: a page that unpacks to what its footer hides (Arrow holds such a page, at most 2 GB, before it can be
refused).
"""

from typing import Any

MAX_GROUP = 32 << 30  # bytes of a row group, unpacked
MAX_RATIO = 2000  # of unpacked to packed bytes in a row group above _SMALL
_SMALL = 1 << 30


def too_large(metadata: Any, size: int) -> tuple[int, int] | None:
    """(number, bytes unpacked) of the first row group that must not be read, of a file of `size` bytes."""
    for number in range(metadata.num_row_groups):
        unpacked = metadata.row_group(number).total_byte_size
        if unpacked > MAX_GROUP or (unpacked > _SMALL and unpacked > MAX_RATIO * size):
            return number, unpacked
    return None
