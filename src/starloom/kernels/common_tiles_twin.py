"""`common_tiles` in plain Python, for tests."""

from collections.abc import Sequence


def midst(offsets: Sequence[int], hashes: Sequence[int], width: int) -> list[bool]:
    def reach(step: int, at: int) -> int:
        """How far tiles like this one go on, each less than a width behind the one before."""
        own = sorted((step * offset for offset, tile in zip(offsets, hashes) if tile == hashes[at]))
        reached = step * offsets[at]
        for offset in own:
            if reached < offset < reached + width:
                reached = offset
        return reached - step * offsets[at]

    return [reach(-1, at) >= width and reach(1, at) >= width for at in range(len(offsets))]


def sharing(start: int, end: int, asked: dict[int, int], frequent: set[int], held: Sequence[int], width: int) -> int:
    """`asked`: in how many files each of the tiles is, by offset."""
    shared = {}
    for way in range(width):
        tiles = [offset for offset in range(start, end - width + 1) if offset % width == way]
        counts = [asked[offset] for offset in tiles if offset in asked]
        if counts and frequent.issuperset(tiles):
            shared[way] = min(counts)
    return sum(shared.values()) + sum(way not in shared for way in held if shared)
