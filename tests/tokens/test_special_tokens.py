"""Markers: found by a tokenizer's tokens, in the order each family was trained with."""

import pytest

from starloom.errors import UserError
from starloom.tokens import special_tokens
from starloom.tokens.special_tokens import SPECIAL_IDS, SPECIAL_TOKENS
from tokens.learning import family, ours

STARCODER = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>")
QWEN = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>")


def test_the_38_of_starcoder2():
    assert len(SPECIAL_TOKENS) == len(set(SPECIAL_TOKENS)) == 38
    # bos = eos = unk = 0 in the published config.json; the others by the order of special_tokens_map.json
    assert [SPECIAL_TOKENS[n] for n in (0, 1, 2, 3, 4, 5, 6, 18, 33, 34, 37)] == [
        "<|endoftext|>",
        "<fim_prefix>",
        "<fim_middle>",
        "<fim_suffix>",
        "<fim_pad>",
        "<repo_name>",
        "<file_sep>",
        "<pr>",
        "<pr_diff_hunk_comment_line>",
        "<NAME>",
        "<PASSWORD>",
    ]


def test_ours():
    markers = ours().markers
    assert (markers.prefix, markers.middle, markers.suffix, markers.pad) == (1, 2, 3, 4)
    assert (markers.repo_name, markers.file_sep, markers.end_of_text) == (5, 6, 0)
    assert (markers.order, markers.path_in_prefix, markers.after_repo_name) == ("psm", True, "")
    # A generation ends at every special token but those that stand for what was redacted: they are part of a text.
    assert markers.stops == {n for token, n in SPECIAL_IDS.items() if token not in special_tokens.REDACTED}


@pytest.mark.parametrize(
    ("tokens", "order", "path_in_prefix", "file_sep"),
    [
        (("<|endoftext|>", *STARCODER, "<repo_name>", "<file_sep>"), "psm", True, "<file_sep>"),  # StarCoder2
        (("<|endoftext|>", *STARCODER, "<reponame>", "<filename>", "<gh_stars>"), "psm", True, None),  # StarCoder
        (
            ("<|endoftext|>", *STARCODER, "<reponame>", "<filename>", "<assistant>"),
            "spm",
            False,
            "<filename>",
        ),  # Mellum
        (
            ("<|endoftext|>", "<fim-prefix>", "<fim-middle>", "<fim-suffix>", "<fim-pad>"),
            "psm",
            True,
            None,
        ),  # SantaCoder
        (("<|endoftext|>", *QWEN, "<|repo_name|>", "<|file_sep|>"), "psm", False, "<|file_sep|>"),  # Qwen2.5-Coder
        (("<eos>", *QWEN[:3], "<|file_separator|>"), "psm", True, None),  # CodeGemma
        (
            ("<[end▁of▁sentence]>", "<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"),
            "spm",
            True,
            None,
        ),  # Seed-Coder
        (
            ("<｜end▁of▁sentence｜>", "<｜fim▁hole｜>", "<｜fim▁begin｜>", "<｜fim▁end｜>"),
            "psm",
            True,
            None,
        ),  # DeepSeek
        (("</s>", "▁<PRE>", "▁<MID>", "▁<SUF>", "▁<EOT>"), "psm", True, None),  # Code Llama
    ],
    ids=["starcoder2", "starcoder", "mellum", "santacoder", "qwen", "codegemma", "seed", "deepseek", "codellama"],
)
def test_each_family_is_found_by_its_tokens(tokens, order, path_in_prefix, file_sep):
    tokenizer = family(*tokens)
    markers = tokenizer.markers
    assert (markers.order, markers.path_in_prefix) == (order, path_in_prefix)
    assert markers.end_of_text == tokenizer.end_of_text == 256  # the first added
    spelled = [tokenizer.token_bytes(n).decode() for n in (markers.prefix, markers.suffix, markers.middle)]
    for token, part in zip(spelled, (("prefix", "PRE", "begin"), ("suffix", "SUF", "hole"), ("middle", "MID", "end"))):
        assert any(word in token for word in part)
    assert (None if markers.file_sep is None else tokenizer.token_bytes(markers.file_sep).decode()) == file_sep
    assert markers.stops >= {markers.prefix, markers.middle, markers.suffix, markers.end_of_text}


def test_markers_that_are_not_special_tokens_are_found_and_stop_too():
    """Qwen's tokenizer.json says `special: false` of them."""
    tokenizer = family("<|endoftext|>", *QWEN, "<|repo_name|>", "<|file_sep|>", special=False)
    assert tokenizer.markers.stops == set(range(256, 263))


def test_without_markers():
    tokenizer = family("<|endoftext|>", "<fim_prefix>", "<fim_suffix>")  # two of three are none
    assert tokenizer.markers is None
    assert tokenizer.end_of_text == 256
    assert tokenizer.stops == {256, 257, 258}


def test_without_an_end_of_text():
    with pytest.raises(UserError, match="no token that ends a text"):
        family("<one>", "<two>")
