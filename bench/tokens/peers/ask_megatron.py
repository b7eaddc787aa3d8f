"""Megatron-Core's loader: python ask_megatron.py PREFIX BATCHES [documents]; see asking.py.

PREFIX: what `export megatron` made. Tokens, labels, loss mask and positions of a GPTDataset, shuffled, in this process
and without attention masks, which would be SEQUENCE x SEQUENCE; `documents`: positions begin anew at each. Its index is
built for as many samples as are read. Needs megatron-core.
"""

import importlib.metadata
import itertools
import sys
import tempfile
import time
import warnings

import asking

warnings.simplefilter("ignore")
prefix, count, documents = sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["documents"]
started = time.process_time()

import torch  # noqa: E402
from megatron.core.datasets.gpt_dataset import GPTDataset, GPTDatasetConfig  # noqa: E402
from megatron.core.datasets.indexed_dataset import IndexedDataset  # noqa: E402
from megatron.core.datasets.utils import Split  # noqa: E402
from torch.utils.data import default_collate  # noqa: E402


class Tokenizer:
    vocab_size = 49152
    eod = 0
    pad = 49151
    unique_identifiers = {"of": "bench"}  # noqa: RUF012


tokens = IndexedDataset(prefix)
samples = (count + 100) * asking.BATCH
config = GPTDatasetConfig(
    random_seed=0,
    sequence_length=asking.SEQUENCE,
    split="1,0,0",
    tokenizer=Tokenizer(),
    reset_position_ids=documents,
    reset_attention_mask=False,
    eod_mask_loss=documents,
    create_attention_mask=False,
    path_to_cache=tempfile.mkdtemp(),
    mmap_bin_files=True,
)
import numpy as np  # noqa: E402

dataset = GPTDataset(
    tokens, prefix, np.arange(len(tokens.document_indices) - 1, dtype=np.int32), samples, Split.train, config
)


def batches():
    for start in itertools.count(0, asking.BATCH):
        yield default_collate([dataset[row] for row in range(start, start + asking.BATCH)])


torch.set_num_threads(1)
asking.tell(
    f"megatron-core {importlib.metadata.version('megatron-core')}",
    started,
    batches(),
    samples,
    lambda some: default_collate([dataset[row] for row in some]),
    count,
)
