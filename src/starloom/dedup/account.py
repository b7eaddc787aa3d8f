"""What near-deduplication of an input found: in words, as JSON, and as a table of what would go.

`pairs` and the table have one row for every removed text: its id, the id of the text that stays for it, and their exact
Jaccard similarity. Memory: some 100 bytes a removed text.
"""

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from starloom.dedup.inputs import Input, left_out_lines
from starloom.dedup.near_duplicates import NearDuplicates
from starloom.dedup.signature import MinHashSettings
from starloom.outside.paths import printable
from starloom.progress import counted, human

_SHOWN = 5  # of everything that is listed for a person


@dataclass(frozen=True)
class Account:
    source: Input
    found: NearDuplicates
    settings: MinHashSettings
    threshold: float

    @cached_property
    def keep(self) -> NDArray[np.bool_]:
        """bool[rows]"""
        return np.equal(self.found.keeper, np.arange(len(self.found.keeper)))

    @cached_property
    def removed(self) -> NDArray[np.int64]:
        """Row numbers, ascending."""
        return np.flatnonzero(~self.keep)

    def table(self) -> Any:
        """`id`, `twin` and `jaccard` of every removed text, in the order of the input."""
        keeper = self.found.keeper[self.removed]
        ids = self.source.ids
        return pa.table(
            {
                "id": ids.take(pa.array(self.removed)),
                "twin": ids.take(pa.array(keeper)),
                "jaccard": pa.array(self.found.similarity[self.removed]),
            }
        )

    def clusters(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(rows that stay for others, how many each), the most first."""
        kept, times = np.unique(self.found.keeper[self.removed], return_counts=True)
        order = np.argsort(-times, kind="stable")
        return kept[order], times[order]

    def to_json(self) -> dict[str, Any]:
        lengths = self.source.lengths
        return {
            "input": self.source.name,
            "kept": int(self.keep.sum()),
            "removed": len(self.removed),
            "bytes": int(lengths.sum()),
            "removed_bytes": int(lengths[self.removed].sum()),
            "clusters": len(self.clusters()[0]),
            "candidates": self.found.candidates,
            "capped_buckets": self.found.capped_buckets,
            "threshold": self.threshold,
            "settings": asdict(self.settings),
            "left_out": [one._asdict() for one in self.source.left_out],
            "pairs": self.table().to_pylist(),
        }

    def words(self) -> str:
        source, removed = self.source, self.removed
        gone, size = len(removed), human(int(self.source.lengths[removed].sum()), "bytes")
        lines = [
            f"{printable(source.name)}: {counted(source.rows, 'texts')}, {human(int(source.lengths.sum()), 'bytes')}"
        ]
        lines += [*left_out_lines(source.left_out, _SHOWN), *_same_ids(source)]
        share = 100 * gone / max(source.rows, 1)
        lines.append(f"{source.rows - gone:,} stay, {gone:,} go ({share:.1f} %, {size})")
        lines.append(f"each that goes is at least {self.threshold:g} similar to the one that stays for it")
        lines.append(f"{counted(self.found.candidates, 'candidate pairs')} compared exactly{self._capped()}")
        if gone:
            kept, times = self.clusters()
            lines.append(f"\nmost copies, of {counted(len(kept), 'clusters')}:")
            for row, count in zip(kept[:_SHOWN].tolist(), times[:_SHOWN].tolist(), strict=True):
                lines.append(f"{count:>9,}  {self._id(row)}")
            lines.append("\nsome that go, from the least similar to the most:")
            for row in self._examples():
                lines.append(f"{self.found.similarity[row]:9.3f}  {self._id(row)}")
                lines.append(f"           {self._id(int(self.found.keeper[row]))} stays")
        return "\n".join(lines)

    def _capped(self) -> str:
        if not self.found.capped_buckets:
            return ""
        buckets = counted(self.found.capped_buckets, "buckets")
        return f"; in {buckets} of very many, only the best were compared with the others: a pair may be missing there"

    def _examples(self) -> list[int]:
        """Rows of removed texts, spread over how similar they are."""
        order = self.removed[np.argsort(self.found.similarity[self.removed], kind="stable")]
        places = np.unique(np.linspace(0, len(order) - 1, _SHOWN).astype(np.int64))
        return [int(row) for row in order[places]]

    def _id(self, row: int) -> str:
        return printable(str(self.source.ids[row]))


def _same_ids(source: Input) -> list[str]:
    import pyarrow.compute as pc

    distinct = pc.count_distinct(source.ids).as_py()
    if distinct == source.rows:
        return []
    return [f"  note: {source.rows:,} texts have {distinct:,} ids: --id names a column that tells them apart"]
