"""A block of LZ4 unpacked (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), for kernels that look at what
is in many: a call of the library's, and a text of Python's, cost more than a small block does.

Nothing is believed: what a block says is held against where it ends and how long the text is, before it is read or
written. Copies go 16 or 32 bytes at a time and so beyond what is copied, within ROOM. Cost: 2.5 to 3 GB/s of text, as
the library.
"""

from typing import Any, Final

import numpy as np

from starloom.kernels.cache import import_numba, kernel, leaf
from starloom.kernels.swar import eight
from starloom.kernels.text import UInt8s, frozen

import_numba()  # before what follows: see there

from llvmlite import ir  # type: ignore[import-untyped]  # noqa: E402
from numba.core import types  # noqa: E402
from numba.extending import intrinsic  # noqa: E402

ROOM: Final = 64  # bytes that there must be behind a text, for copies
_LEAST_MATCH: Final = 4
_MORE: Final = 15  # of a length, that other bytes are added to
# Of a match that begins so many bytes back and repeats itself: which of eight bytes are its own, by which number they
# are repeated, and by how many bytes eight of them go on.
_OWN: Final = np.array([(1 << 8 * back) - 1 for back in range(8)], dtype=np.uint64)
_REPEATED: Final = np.array(
    [sum(1 << 8 * at for at in range(0, 8, back)) if back else 0 for back in range(8)], dtype=np.uint64
)
_STEPS: Final = np.array([8 - 8 % back if back else 0 for back in range(8)], dtype=np.int64)


def unpacked(block: bytes, size: int) -> bytes | None:
    """The text of a block, `size` bytes; None where it is no such block. What kernels do, for tests."""
    data = np.frombuffer(block, dtype=np.uint8)
    out = np.empty(max(size, 0) + ROOM, dtype=np.uint8)
    return out[:size].tobytes() if _unpacked(frozen(data, np.uint8), out, size) else None


@kernel
def _unpacked(data: UInt8s, out: UInt8s, size: int) -> bool:
    return unpack(data, 0, len(data), out, size)  # type: ignore[no-any-return]


@leaf
def _length(data: Any, p: Any, stop: Any, many: Any) -> Any:
    """(a length that the four bits `many` of a token begin, where what follows it begins); negative where it has no
    end."""
    if many == _MORE:
        more = 255
        while more == 255:
            if p >= stop:
                return many, -1
            more = byte(data, p)
            many += more
            p += 1
    return many, p


@leaf
def unpack(data: Any, start: Any, stop: Any, out: Any, size: Any) -> Any:
    """Whether data[start:stop] is a block of `size` bytes; out[:size] becomes them, what stands behind is written over.
    Raises nothing: False too where that is not in `data`, or `out` has no ROOM."""
    if not (0 <= start <= stop <= len(data) and 0 <= size <= len(out) - ROOM):
        return False
    p, q = start, 0
    while p < stop:
        token = byte(data, p)
        p += 1
        many, p = _length(data, p, stop, token >> 4)
        if p < 0:
            return False
        if many > stop - p or many > size - q:
            return False
        if many <= 16 and p + 16 <= len(data):
            copy_16(out, q, data, p)
        else:
            _copied(out, q, data, p, many)
        p += many
        q += many
        if p == stop:  # the last ones are letters alone
            return q == size
        if p + 2 > stop:
            return False
        back = byte(data, p) | byte(data, p + 1) << 8
        p += 2
        many, p = _length(data, p, stop, token & _MORE)
        if p < 0:
            return False
        many += _LEAST_MATCH
        if back == 0 or back > q or many > size - q:
            return False
        end = q + many
        if back >= 16:
            copy_16(out, q, out, q - back)
            k = 16
            while k < many:
                copy_16(out, q + k, out, q + k - back)
                k += 16
        elif back >= 8:
            k = 0
            while k < many:
                copy_8(out, q + k, out, q + k - back)
                k += 8
        else:
            pattern = (eight(out, q - back) & _OWN[back]) * _REPEATED[back]
            step = _STEPS[back]
            while q < end:
                put_8(out, q, pattern)
                q += step
        q = end
    return False


@leaf
def _copied(out: Any, to: Any, data: Any, start: Any, many: Any) -> None:
    """out[to:to + many] becomes data[start:start + many], and more bytes behind it are written over."""
    k = 0
    while k < many and start + k + 32 <= len(data):
        copy_32(out, to + k, data, start + k)
        k += 32
    while k < many:
        out[to + k] = data[start + k]
        k += 1


# Bytes taken and put without a question whether a place counts from the end: none is negative, and all are there.


@intrinsic
def byte(_typing: Any, text: Any, at: Any) -> Any:
    """text[at]"""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        place = _place(context, builder, signature.args[0], arguments[0], signature.args[1], arguments[1])
        return builder.zext(builder.load(place), ir.IntType(64))

    return types.int64(text, at), code


@intrinsic
def put_8(_typing: Any, out: Any, to: Any, _word: Any) -> Any:
    """out[to:to + 8] becomes the word, its lowest byte first."""

    def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        word = arguments[2]
        place = _place(context, builder, signature.args[0], arguments[0], signature.args[1], arguments[1])
        builder.store(word, builder.bitcast(place, word.type.as_pointer())).align = 1
        return context.get_dummy_value()

    return types.void(out, to, types.uint64), code


def _copier(size: int) -> Any:
    kind = ir.VectorType(ir.IntType(8), size)

    @intrinsic
    def copy(_typing: Any, out: Any, to: Any, text: Any, start: Any) -> Any:
        def code(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            to_place, place = (
                builder.bitcast(
                    _place(context, builder, signature.args[k], arguments[k], signature.args[k + 1], arguments[k + 1]),
                    kind.as_pointer(),
                )
                for k in (0, 2)
            )
            read = builder.load(place)
            read.align = 1
            builder.store(read, to_place).align = 1
            return context.get_dummy_value()

        return types.void(out, to, text, start), code

    return copy


copy_8, copy_16, copy_32 = map(_copier, (8, 16, 32))


def _place(context: Any, builder: Any, kind: Any, array: Any, number: Any, at: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    return builder.gep(data, [context.cast(builder, at, number, types.intp)])
