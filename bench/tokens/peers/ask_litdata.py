"""litdata's loader: python ask_litdata.py FOLDER BATCHES; see asking.py. FOLDER: what `export litdata` made.

Blocks of SEQUENCE + 1 tokens, shuffled, in this process, made inputs and targets as LitGPT does (litgpt/pretrain.py);
it knows no documents. Needs litdata.
"""

import importlib.metadata
import sys
import time

import asking

folder, count = sys.argv[1], int(sys.argv[2])
started = time.process_time()

import torch  # noqa: E402
from litdata import StreamingDataLoader, StreamingDataset, TokensLoader  # noqa: E402
from torch.utils.data import default_collate  # noqa: E402

torch.set_num_threads(1)
dataset = StreamingDataset(folder, item_loader=TokensLoader(asking.SEQUENCE + 1), shuffle=True, seed=0)


def made(rows):
    return rows[:, :-1].contiguous().long(), rows[:, 1:].contiguous().long()


def batches():
    while True:
        for rows in StreamingDataLoader(dataset, batch_size=asking.BATCH, num_workers=0):
            yield made(rows)


asking.tell(
    f"litdata {importlib.metadata.version('litdata')}",
    started,
    batches(),
    len(dataset),
    lambda some: made(default_collate([dataset[row] for row in some])),
    count,
)
