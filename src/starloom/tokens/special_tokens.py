"""Special tokens: StarCoder2's own 38, and where other families of models keep theirs.

The only place that spells a marker. A family is recognised by the tokens that a tokenizer has, never by a model's name.
Order of the 38: special_tokens_map.json of StarCoder2; repository and fill-in-the-middle templates: arXiv 2402.19173,
section 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

END_OF_TEXT: Final = "<|endoftext|>"
FIM_PREFIX: Final = "<fim_prefix>"
FIM_MIDDLE: Final = "<fim_middle>"
FIM_SUFFIX: Final = "<fim_suffix>"
FIM_PAD: Final = "<fim_pad>"
REPO_NAME: Final = "<repo_name>"
FILE_SEP: Final = "<file_sep>"

REDACTED: Final = ("<NAME>", "<EMAIL>", "<KEY>", "<PASSWORD>")  # what personal data was replaced by: part of a text

# Ids 0-37, in this order.
SPECIAL_TOKENS: Final[tuple[str, ...]] = (
    END_OF_TEXT,
    FIM_PREFIX,
    FIM_MIDDLE,
    FIM_SUFFIX,
    FIM_PAD,
    REPO_NAME,
    FILE_SEP,
    "<issue_start>",
    "<issue_comment>",
    "<issue_closed>",
    "<jupyter_start>",
    "<jupyter_text>",
    "<jupyter_code>",
    "<jupyter_output>",
    "<jupyter_script>",
    "<empty_output>",
    "<code_to_intermediate>",
    "<intermediate_to_code>",
    "<pr>",
    "<pr_status>",
    "<pr_is_merged>",
    "<pr_base>",
    "<pr_file>",
    "<pr_base_code>",
    "<pr_diff>",
    "<pr_diff_hunk>",
    "<pr_comment>",
    "<pr_event_id>",
    "<pr_review>",
    "<pr_review_state>",
    "<pr_review_comment>",
    "<pr_in_reply_to_review_id>",
    "<pr_in_reply_to_comment_id>",
    "<pr_diff_hunk_comment_line>",
    *REDACTED,
)

SPECIAL_IDS: Final[Mapping[str, int]] = {token: number for number, token in enumerate(SPECIAL_TOKENS)}

Order = Literal["psm", "spm"]


@dataclass(frozen=True)
class Family:
    """How one family of models spells its markers. An empty string: it has no such token, or what it was trained to
    expect around it is not known to us."""

    prefix: str
    middle: str
    suffix: str
    order: Order = "psm"
    pad: str = ""
    repo_name: str = ""
    file_sep: str = ""
    path_in_prefix: bool = True  # the path stands after the prefix marker, not before all markers
    after_repo_name: str = ""  # what stands between a repository's name and the first file
    needs: tuple[str, ...] = ()  # tokens that tell it from a family with the same markers


# The first whose tokens are all there is taken. Sources in the margin; what is not verified says so.
FAMILIES: Final[tuple[Family, ...]] = (
    # Mellum: StarCoder's spelling, but suffix first, and the path before all markers. Model card of Mellum-4b-base. Its
    # special_tokens_map.json has chat markers, which tell it from StarCoder. What `<reponame>` does: unverified.
    Family(
        FIM_PREFIX,
        FIM_MIDDLE,
        FIM_SUFFIX,
        "spm",
        FIM_PAD,
        file_sep="<filename>",
        path_in_prefix=False,
        needs=("<filename>", "<assistant>"),
    ),
    # StarCoder2 and Starloom's own; arXiv 2402.19173, section 5.
    Family(
        FIM_PREFIX,
        FIM_MIDDLE,
        FIM_SUFFIX,
        pad=FIM_PAD,
        repo_name=REPO_NAME,
        file_sep=FILE_SEP,
        needs=(REPO_NAME, FILE_SEP),
    ),
    # StarCoder, and those who took over its markers. Its `<filename>` stood inside what was split: not used here.
    Family(FIM_PREFIX, FIM_MIDDLE, FIM_SUFFIX, pad=FIM_PAD),
    # SantaCoder; arXiv 2301.03988.
    Family("<fim-prefix>", "<fim-middle>", "<fim-suffix>", pad="<fim-pad>"),
    # Qwen2.5-Coder, Qwen3-Coder; README of Qwen2.5-Coder, "repository level code completion".
    Family(
        "<|fim_prefix|>",
        "<|fim_middle|>",
        "<|fim_suffix|>",
        pad="<|fim_pad|>",
        repo_name="<|repo_name|>",
        file_sep="<|file_sep|>",
        path_in_prefix=False,
        after_repo_name="\n",
        needs=("<|repo_name|>", "<|file_sep|>"),
    ),
    # CodeGemma and others with Qwen's markers but not its repository tokens.
    Family("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", pad="<|fim_pad|>"),
    # Seed-Coder: suffix first, always; arXiv 2506.03524, section "Fill-in-the-Middle".
    Family("<[fim-prefix]>", "<[fim-middle]>", "<[fim-suffix]>", "spm"),
    # DeepSeek-Coder: "hole" stands where the suffix begins, "end" asks for the middle; README of DeepSeek-Coder.
    Family("<｜fim▁begin｜>", "<｜fim▁end｜>", "<｜fim▁hole｜>"),
    # Code Llama 7B and 13B; arXiv 2308.12950, appendix B. The spaces that its SentencePiece adds around the parts are
    # those of its tokenizer: unverified against its reference code.
    Family("▁<PRE>", "▁<MID>", "▁<SUF>"),
)

# Which token ends a document. A chat model's own `eos_token` may end a turn instead.
_ENDS: Final = (
    END_OF_TEXT,
    "<|end_of_text|>",
    "<｜end▁of▁sentence｜>",
    "<[end▁of▁sentence]>",
    "<eos>",
    "</s>",
)


@dataclass(frozen=True)
class Markers:
    """A model's own markers, as ids of its tokenizer."""

    prefix: int
    middle: int
    suffix: int
    order: Order  # how the family was trained: prefix, suffix, middle; or suffix first
    pad: int | None
    repo_name: int | None
    file_sep: int | None
    end_of_text: int
    stops: frozenset[int]  # generation ends at any of these
    path_in_prefix: bool = True  # `<fim_prefix>PATH\n…`; else PATH, a line end, then the markers
    after_repo_name: str = ""  # what stands between a repository's name and the first file


def find_end_of_text(tokens: Mapping[str, int], named: str = "") -> int | None:
    """The id of the token that ends a document. `tokens`: added tokens by their text; `named`: the tokenizer's own
    eos_token."""
    for token in (END_OF_TEXT, named, *_ENDS):
        if token in tokens:
            return tokens[token]
    return None


def find_markers(tokens: Mapping[str, int], end_of_text: int, stops: frozenset[int]) -> Markers | None:
    """The markers of the family whose tokens are all among `tokens`; None when there is none.

    `stops`: what ends a generation besides the markers.
    """
    for family in FAMILIES:
        required = (family.prefix, family.middle, family.suffix, *family.needs)
        if not all(token in tokens for token in required):
            continue
        own = {tokens[token] for token in (*required, family.pad, family.repo_name, family.file_sep) if token in tokens}
        return Markers(
            prefix=tokens[family.prefix],
            middle=tokens[family.middle],
            suffix=tokens[family.suffix],
            order=family.order,
            pad=tokens.get(family.pad),
            repo_name=tokens.get(family.repo_name),
            file_sep=tokens.get(family.file_sep),
            end_of_text=end_of_text,
            stops=stops | own | {end_of_text},
            path_in_prefix=family.path_in_prefix,
            after_repo_name=family.after_repo_name,
        )
    return None
