"""Anybody's data as texts with ids: Parquet, JSON lines, a download from the Hub, a folder of source files.

    source = open_input(Path("the-stack-smol"), scratch)
    found = near_duplicates_in_files(engine, source.files, scratch=scratch)
    source.ids[int(found.keeper[7])]

Parquet is read where it lies. JSON lines (also gzipped or in Zstandard) and source files are staged as Parquet below
`scratch`, which must stay as long as the input. A folder is a data set where its Parquet and JSON lines weigh more than
its other files and have a column of texts; else it is a folder of source files. A null counts as an empty text: it is
no near-duplicate of anything. What is below a folder and gives no row is in `left_out`, with the reason.

Texts: the column `content`, else `text`, else `code`. Ids: the column `id`, else `repo_name:path`, else `FILE:ROW`
(Parquet's rows count from 0, lines from 1); of source files the path. Memory: the ids, and what is staged at a time.
"""

from starloom.dedup.inputs.open import open_input, open_parquet_files
from starloom.dedup.inputs.part import LeftOut, left_out_lines
from starloom.dedup.inputs.texts import Input, together

__all__ = ["Input", "LeftOut", "left_out_lines", "open_input", "open_parquet_files", "together"]
