"""`[search]` of starloom.toml."""

from dataclasses import dataclass

from starloom.errors import UserError

MOST_SHARDS = 1000


@dataclass(frozen=True)
class SearchSettings:
    """How the dataset is indexed for search."""

    shards: int = 0  # parts of the index; 0: one for every 16 GB of text
    symbols: bool = True  # what files define is found by `sym:`, where the extra `syntax` is installed

    def __post_init__(self) -> None:
        if not 0 <= self.shards <= MOST_SHARDS:
            raise UserError(
                f"[search] shards = {self.shards} is not between 0 and {MOST_SHARDS}",
                "write 0 for one shard every 16 GB of text",
            )
