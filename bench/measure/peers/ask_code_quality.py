"""data-prep-kit's `code_quality`: python ask_code_quality.py FILES.parquet [--without-tokenizer]. Needs
`data-prep-toolkit-transforms[code-quality]`.

Its ratio of characters to tokens wants a tokenizer, by default one from a hub; here a byte-level one of the same kind
and size (32,768 entries) is made from the files before the clock starts. Without it the ratio is left out, for what our
signals do not have either.
"""

import importlib.metadata
import json
import sys
import tempfile
import time

import pyarrow.parquet as pq
from dpk_code_quality import transform
from tokenizers import ByteLevelBPETokenizer
from transformers import PreTrainedTokenizerFast


def tokenizer(texts, folder):
    made = ByteLevelBPETokenizer()
    made.train_from_iterator(texts, vocab_size=32_768, show_progress=False)
    PreTrainedTokenizerFast(tokenizer_object=made._tokenizer).save_pretrained(folder)
    return folder


def main():
    table = pq.read_table(sys.argv[1])
    texts = table.column("content").to_pylist()
    table = table.set_column(
        table.column_names.index("language"), "language", [[one or "" for one in table.column("language").to_pylist()]]
    )
    with tempfile.TemporaryDirectory() as folder:
        columns = {"contents_column_name": "content", "language_column_name": "language", "hf_token": "none"}
        config = {"code_quality": columns | {"tokenizer": tokenizer(texts[::8], folder)}}
        measuring = transform.CodeQualityTransform(config)
    if "--without-tokenizer" in sys.argv:
        transform.calculate_char_token_ratio = lambda _text, _tokenizer: {"char_token_ratio": 0.0}
    started = time.process_time()
    (measured,), _ = measuring.transform(table)
    seconds = time.process_time() - started
    version = importlib.metadata.version("data-prep-toolkit-transforms")
    print(json.dumps({"version": version, "seconds": seconds, "columns": measured.num_columns - table.num_columns}))


main()
