"""The one form in which kernels take text: `offsets: int64[n + 1]` and `data: uint8[]`, valid UTF-8.

File i is `data[offsets[i]:offsets[i + 1]]`; `offsets[0]` need not be 0. These are the buffers of an Arrow
string array, taken without a copy where its offsets are already 64 bits wide.
"""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
UInt32s: TypeAlias = NDArray[np.uint32]
UInt64s: TypeAlias = NDArray[np.uint64]
UInt8s: TypeAlias = NDArray[np.uint8]

_NONE = pa.array([], pa.large_string())


def text_buffers(texts: Any) -> tuple[Int64s, UInt8s]:
    """(offsets, data) of an Arrow array or chunked array of strings; a null counts as empty text."""
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.cast(pa.large_string())
        texts = texts.chunk(0) if texts.num_chunks == 1 else pa.concat_arrays(texts.chunks or [_NONE])
    texts = texts.cast(pa.large_string())
    if texts.null_count:
        texts = texts.fill_null("")
    if len(texts) == 0:
        return np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.uint8)
    _, offsets, data = texts.buffers()
    everything = np.frombuffer(offsets, dtype=np.int64)
    bytes_ = np.frombuffer(data, dtype=np.uint8) if data is not None else np.zeros(0, dtype=np.uint8)
    return everything[texts.offset : texts.offset + len(texts) + 1], bytes_


def checked(offsets: Int64s, data: UInt8s) -> tuple[Int64s, UInt8s]:
    """The same arrays, read-only and contiguous (one type, so one compilation), and known to be in bounds."""
    offsets = frozen(offsets, np.int64)
    data = frozen(data, np.uint8)
    if len(offsets) == 0 or offsets[0] < 0 or offsets[-1] > len(data) or (offsets[1:] < offsets[:-1]).any():
        raise ValueError("offsets do not describe slices of data")
    return offsets, data


def taken(offsets: Int64s, data: UInt8s, rows: Int64s) -> tuple[Int64s, UInt8s]:
    """The same form of some of the files, in this order, each as often as it is named: files that stand in a row are
    copied at once, and none if all are wanted as they are."""
    ends = np.append(np.flatnonzero(np.diff(rows) != 1), len(rows) - 1)  # of rows that follow one another
    if len(ends) == 1 and len(rows) == len(offsets) - 1:
        return offsets, data
    bounds = np.concatenate(([0], np.cumsum(np.diff(offsets)[rows])))
    found = np.empty(bounds[-1], np.uint8)
    begin = 0
    for end in (ends + 1).tolist() if len(rows) else ():
        found[bounds[begin] : bounds[end]] = data[offsets[rows[begin]] : offsets[rows[end - 1] + 1]]
        begin = end
    return bounds, found


def stretches(starts: Int64s, stops: Int64s, data: UInt8s) -> tuple[Int64s, Int64s, UInt8s]:
    """The same arrays, read-only and contiguous, and known to be in bounds."""
    starts, stops, data = frozen(starts, np.int64), frozen(stops, np.int64), frozen(data, np.uint8)
    if len(starts) != len(stops) or (starts < 0).any() or (stops < starts).any() or (stops > len(data)).any():
        raise ValueError("not the ends of stretches of data")
    return starts, stops, data


def frozen(array: NDArray[Any], kind: Any) -> NDArray[Any]:
    """A read-only, contiguous view (a copy only if the type or the layout is another); what is so already, as it is."""
    if array.dtype == kind and array.flags.c_contiguous and not array.flags.writeable:
        return array
    view = np.ascontiguousarray(array, dtype=kind).view()
    view.flags.writeable = False
    return view
