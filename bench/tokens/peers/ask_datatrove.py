"""datatrove's tokenizer step: python ask_datatrove.py FILES.parquet TOKENIZER.json FOLDER. Needs datatrove, orjson and
pyarrow.

Reader, DocumentTokenizer and its files, in one process and one thread; documents are not shuffled. A row is a file
(column `content`), each followed by the end of text. The last line printed is JSON: seconds of CPU, and what came out.
"""

import importlib.metadata
import json
import os
import sys
import time
from pathlib import Path

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.tokens import DocumentTokenizer

files, tokenizer, folder = Path(sys.argv[1]).resolve(), sys.argv[2], Path(sys.argv[3])
before, start = time.process_time(), time.monotonic()
executor = LocalPipelineExecutor(
    pipeline=[
        ParquetReader(str(files.parent), glob_pattern=files.name, text_key="content", id_key="content_id"),
        DocumentTokenizer(
            str(folder / "out"),
            tokenizer_name_or_path=tokenizer,
            eos_token="<|endoftext|>",
            shuffle_documents=False,
            local_working_dir=str(folder / "working"),
        ),
    ],
    logging_dir=str(folder / "logs"),
    skip_completed=False,
)
executor.run()
tokens = sum(path.stat().st_size for path in (folder / "out").rglob("*.ds")) // 2
print(
    json.dumps(
        {
            "before": before,
            "wall": time.monotonic() - start,
            "tokens": tokens,
            "version": f"datatrove {importlib.metadata.version('datatrove')}",
        }
    )
)
