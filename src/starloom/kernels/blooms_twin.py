"""Twin of blooms.py in plain Python: which bits of a filter a hash has. Nothing but its test calls it."""

from starloom.kernels.twins import mix


def bits(value: int, blocks: int) -> set[int]:
    """The numbers of the bits of a filter of so many blocks that the hash `value` sets; eight, or fewer where some
    fall on one."""
    first = (value >> 32) * blocks >> 32
    spread = mix(value ^ 0xD6E8FEB86659FD93)
    within = [value & 511, *(spread >> 9 * number & 511 for number in range(7))]
    return {512 * first + bit for bit in within}
