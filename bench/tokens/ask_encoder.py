"""One encoder over the texts of a file, twice, in one thread of a process of its own:

    python ask_encoder.py ENCODER SAMPLE.parquet TOKENIZER_FOLDER MB

The last line printed is JSON: seconds of CPU until it was ready and for each time, and what came out. Everyone is given
64 Python strings at a time and has to come back with ids that numpy can take. ENCODER is a name of ENCODERS; gigatoken
runs in an environment of its own, so nothing of Starloom is imported for it.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

os.environ |= {"RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}

_TEXTS = 64  # encoded at a time
Encode = Callable[[Sequence[str]], int]  # texts -> tokens


def hugging_face(folder: Path) -> Encode:
    own = _library(folder)
    return lambda texts: sum(len(one.ids) for one in own.encode_batch(texts, add_special_tokens=False))


def hugging_face_fast(folder: Path) -> Encode:
    """Without offsets."""
    own = _library(folder)
    return lambda texts: sum(len(one.ids) for one in own.encode_batch_fast(texts, add_special_tokens=False))


# StarCoder2's pre-tokenizer as one pattern; the second set of numbers is of a newer Unicode than tiktoken's.
_NUMBER = r"\p{N}\x{11DE0}-\x{11DE9}\x{16FF4}-\x{16FF6}"
_PATTERN = rf"(?: ?\p{{L}}+|[{_NUMBER}]|'(?:[sdmt]|ll|ve|re)| ?[^\s\p{{L}}{_NUMBER}]+)|\s+(?:(?=[{_NUMBER}])|(?!\S))|\s"


def tiktoken(folder: Path) -> Encode:
    import tiktoken

    from starloom.tokens.byte_pairs import byte_characters

    table = json.loads((folder / "tokenizer.json").read_text())
    characters, added = byte_characters(), {one["content"] for one in table["added_tokens"]}
    vocabulary = {token: number for token, number in table["model"]["vocab"].items() if token not in added}
    ranks = {bytes(characters[one] for one in token): number for token, number in vocabulary.items()}
    core = tiktoken.Encoding("bench", pat_str=_PATTERN, mergeable_ranks=ranks, special_tokens={})
    return lambda texts: sum(len(core.encode_to_numpy(text, disallowed_special=())) for text in texts)


def gigatoken(folder: Path) -> Encode:
    """It has no pre-tokenizer that splits digits. GPT-2's, with the ten digits as added tokens, comes near: what is
    left are the other numbers of Unicode."""
    from gigatoken import Tokenizer

    table = json.loads((folder / "tokenizer.json").read_text())
    table["pre_tokenizer"] = {
        "type": "ByteLevel",
        "add_prefix_space": False,
        "trim_offsets": True,
        "use_regex": True,
    }
    plain = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    vocabulary = table["model"]["vocab"]
    table["added_tokens"] = [{"id": vocabulary[digit], "content": digit} | plain for digit in "0123456789"]
    own = Tokenizer.from_json(json.dumps(table))
    return lambda texts: int(own.encode_batch(list(texts), parallel=False).layout.content.length)


def kernel(folder: Path) -> Encode:
    """Starloom's without the share that is checked."""
    from starloom.tokens import fast_encoder

    fast_encoder.CHECKED = 0.0
    return starloom(folder)


def starloom(folder: Path) -> Encode:
    from starloom.tokens.tokenizer import Tokenizer

    own = Tokenizer.open(folder)
    assert own._fast
    return lambda texts: len(own.encode_arrays(texts)[0])


ENCODERS: dict[str, Callable[[Path], Encode]] = {
    "tokenizers": hugging_face,
    "tokenizers, encode_batch_fast": hugging_face_fast,
    "tiktoken": tiktoken,
    "gigatoken": gigatoken,
    "Starloom, unchecked": kernel,
    "Starloom": starloom,
}


def _library(folder: Path) -> Any:
    from tokenizers import Tokenizer

    own = Tokenizer.from_file(str(folder / "tokenizer.json"))
    own.encode_special_tokens = True
    return own


def main() -> None:
    import pyarrow.parquet as pq

    name, sample, folder, megabytes = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
    texts, size = [], 0
    for text in pq.read_table(sample).column("content").to_pylist():
        if size >= megabytes * 1e6:
            break
        texts.append(text)
        size += len(text.encode())
    before = _resident()
    start = time.process_time()
    encode = ENCODERS[name](folder)
    encode(["def f(x):\n    return 1\n", "é"])
    ready, times, tokens = time.process_time() - start, [], 0
    for _ in range(2):
        start = time.process_time()
        tokens = sum(encode(texts[at : at + _TEXTS]) for at in range(0, len(texts), _TEXTS))
        times.append(time.process_time() - start)
    held = _resident() - before  # with what it has kept, and what it imported
    told = {"MB": size / 1e6, "files": len(texts), "ready": ready, "times": times, "tokens": tokens, "held": held}
    print(json.dumps(told))


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
