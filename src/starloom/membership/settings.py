"""How the index of matching code is made: `[membership]` of starloom.toml."""

from dataclasses import dataclass
from typing import Final, Literal

from starloom.errors import UserError

MOST_SHARDS: Final = 1000
SHARD_BYTES: Final = 100 << 30  # of text in a shard: numbers of tiles are 4 bytes, so at most 137 GB with a width of 32


@dataclass(frozen=True)
class MembershipSettings:
    """`profile`: characters of the shortest match. Every copy of 99 characters is found with 50; of 63 with 32, for one
    and a half times the table."""

    profile: Literal[50, 32] = 50
    shards: int = 0  # parts of the index, by content; 0: one for every 100 GB of text
    renamed: bool = True  # also index the shape of code, so that copies with other names are found (`check --renamed`)

    def __post_init__(self) -> None:
        if not 0 <= self.shards <= MOST_SHARDS:
            raise UserError(
                f"[membership] shards = {self.shards} is not between 0 and {MOST_SHARDS}",
                "write 0 for one shard every 100 GB of text",
            )
