"""Training a tokenizer: byte-level byte-pair encoding with StarCoder2's pre-tokenizer and special tokens.

Digits one by one, then GPT-2's pattern, then bytes; the special tokens take ids 0-37, the 256 bytes the next ones, the
merges the rest, in the order they were learnt. Same texts, same bytes: pairs that are equally frequent are told apart
by their ids, so neither threads nor the order of the texts matter. Cost: 4 MB/s (Hugging Face tokenizers, two cores).
"""

from collections.abc import Iterable
from typing import Any, Final

from starloom.tokens.special_tokens import SPECIAL_TOKENS

LEAST: Final = len(SPECIAL_TOKENS) + 256  # the smallest vocabulary: no merge at all
_MIN_FREQUENCY: Final = 2  # a pair seen once would be a word of one file, learnt by heart


def learn(texts: Iterable[list[str]], vocabulary: int) -> Any:
    """A `tokenizers.Tokenizer` trained on batches of texts. It may come out smaller than `vocabulary`: see its
    get_vocab_size."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    found = Tokenizer(models.BPE())
    found.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True),
        ]
    )
    found.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=_MIN_FREQUENCY,
        special_tokens=list(SPECIAL_TOKENS),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    found.train_from_iterator(texts, trainer)
    return found


def byte_characters() -> dict[str, int]:
    """The byte that each character of a byte-level vocabulary stands for: GPT-2's table.

    Printable bytes stand for themselves, the others for the characters from U+0100 on, in order.
    """
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + n): byte for n, byte in enumerate(others)}
