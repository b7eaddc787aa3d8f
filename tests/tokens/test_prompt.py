"""Prompts: each family's layout, and what is cut where it does not fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.errors import UserError
from starloom.tokens import prompt
from tokens.learning import OTHER, family, ours

QWEN = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>", "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>")
MELLUM = ("<fim_prefix>", "<fim_middle>", "<fim_suffix>", "<fim_pad>", "<filename>", "<assistant>")
FAMILIES = {
    "ours": ours,
    "qwen": lambda: family("<|endoftext|>", *QWEN),
    "mellum": lambda: family("<|endoftext|>", *MELLUM),
    "seed": lambda: family("<[end▁of▁sentence]>", "<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>"),
    "none": lambda: family("</s>"),
}


def shown(tokenizer, text, suffix=None, room=10_000, fit=False, **options):
    return tokenizer.decode(prompt.build(tokenizer, text, suffix, room=room, fit=fit, **options).ids)


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("ours", {}, "pre"),
        ("ours", {"path": "a/b.py"}, "<file_sep>a/b.py\npre"),
        ("ours", {"path": "a/b.py", "repo_name": "r/R"}, "<repo_name>r/R<file_sep>a/b.py\npre"),
        ("ours", {"repo_name": "r/R"}, "pre"),  # a repository's name alone leads nowhere
        ("ours", {"suffix": ""}, "pre"),  # an editor's cursor at the end of a file
        ("ours", {"suffix": "suf"}, "<fim_prefix>pre<fim_suffix>suf<fim_middle>"),
        (
            "ours",
            {"suffix": "suf", "path": "a/b.py", "repo_name": "r/R"},
            "<repo_name>r/R<file_sep><fim_prefix>a/b.py\npre<fim_suffix>suf<fim_middle>",
        ),
        ("qwen", {"suffix": "suf"}, "<|fim_prefix|>pre<|fim_suffix|>suf<|fim_middle|>"),
        (
            "qwen",
            {"suffix": "suf", "path": "a/b.py", "repo_name": "r/R"},
            "<|repo_name|>r/R\n<|file_sep|>a/b.py\n<|fim_prefix|>pre<|fim_suffix|>suf<|fim_middle|>",
        ),
        ("mellum", {"suffix": "suf"}, "<fim_suffix>suf<fim_prefix>pre<fim_middle>"),
        (
            "mellum",
            {"suffix": "suf", "path": "b.py", "repo_name": "r/R"},
            "<filename>b.py\n<fim_suffix>suf<fim_prefix>pre<fim_middle>",
        ),
        ("seed", {"suffix": "suf"}, "<[fim-suffix]>suf<[fim-prefix]>pre<[fim-middle]>"),
        ("seed", {"suffix": "suf", "path": "b.py"}, "<[fim-suffix]>suf<[fim-prefix]>pre<[fim-middle]>"),
        ("none", {"path": "b.py"}, "pre"),
    ],
)
def test_layouts(name, options, expected):
    assert shown(FAMILIES[name](), "pre", **options) == expected


def test_a_suffix_alone_fills_the_start_of_a_file():
    assert shown(ours(), "", "suf") == "<fim_prefix><fim_suffix>suf<fim_middle>"


def test_markers_in_what_is_sent_are_text():
    ids = prompt.build(ours(), "<fim_middle>", "<|endoftext|>", path="<file_sep>", room=1000, fit=False).ids
    assert [number for number in ids if number < 38] == [6, 1, 3, 2]
    assert ours().decode(ids) == "<file_sep><fim_prefix><file_sep>\n<fim_middle><fim_suffix><|endoftext|><fim_middle>"


def test_path_and_prefix_are_encoded_as_in_training():
    """Together: a line end and the spaces after it are one piece."""
    ids = prompt.build(ours(), "        return", None, path="a.py", room=1000, fit=False).ids
    assert ids == [6, *ours().encode("a.py\n        return")]


def test_nothing_to_complete():
    for suffix in (None, ""):
        with pytest.raises(UserError, match="the prompt is empty"):
            prompt.build(ours(), "", suffix, path="a.py", room=1000, fit=True)


def test_a_model_that_cannot_take_a_suffix():
    with pytest.raises(UserError, match="cannot fill in the middle"):
        prompt.build(FAMILIES["none"](), "a", "b", room=100, fit=True)


def test_too_long_names_both_numbers():
    ids = ours().encode("def f(x):\n" * 20)
    assert len(prompt.build(ours(), "def f(x):\n" * 20, None, room=len(ids), fit=False).ids) == len(ids)
    with pytest.raises(UserError, match=rf"has {len(ids)} tokens; there is room for {len(ids) - 1}"):
        prompt.build(ours(), "def f(x):\n" * 20, None, room=len(ids) - 1, fit=False)


def test_far_ends_are_cut():
    tokenizer = ours()
    before = "".join(f"line{chr(97 + n)}\n" for n in range(26))
    after = before.upper()
    found = prompt.build(tokenizer, before, after, path="a.py", room=64, fit=True)
    assert found.truncated
    assert len(found.ids) == 64
    text = tokenizer.decode(found.ids)
    assert text.startswith("<file_sep><fim_prefix>a.py\n")
    prefix, rest = text.removeprefix("<file_sep><fim_prefix>a.py\n").split("<fim_suffix>")
    suffix = rest.removesuffix("<fim_middle>")
    assert before.endswith(prefix)
    assert after.startswith(suffix)
    left = 64 - 4 - len(tokenizer.encode("a.py\n"))
    assert len(tokenizer.encode(suffix)) == left // 4  # three parts in four to the prefix


def test_what_one_side_does_not_need_the_other_has():
    tokenizer = ours()
    long = "".join(f"line{chr(97 + n)}\n" for n in range(26))
    text = shown(tokenizer, "ab", long, room=43, fit=True)
    assert text.startswith("<fim_prefix>ab<fim_suffix>linea")
    assert len(tokenizer.encode(text.split("<fim_suffix>")[1].removesuffix("<fim_middle>"))) >= 36
    text = shown(tokenizer, long, "ab", room=43, fit=True)
    assert text.endswith("linez\n<fim_suffix>ab<fim_middle>")


def test_a_path_gives_way_where_it_would_fill_half_the_room():
    path = "folder/" * 30 + "a.py"
    text = shown(ours(), "x = 1\n" * 40, "y = 2\n" * 40, path=path, room=40, fit=True)
    assert "folder" not in text
    assert text.startswith("<fim_prefix>")
    text = shown(ours(), "x = 1\n" * 400, None, path=path, repo_name="r", room=1000, fit=True)
    assert text.startswith(f"<repo_name>r<file_sep>{path}\n")


def test_no_room_at_all():
    for room in (3, 0, -5):
        with pytest.raises(UserError, match="too few for any prompt"):
            prompt.build(ours(), "abc" * 10, "def" * 10, room=room, fit=True)


def test_a_huge_prompt_is_cut_before_it_is_encoded():
    found = prompt.build(ours(), "x = 1\n" * 2_000_000, "y\n" * 2_000_000, room=100, fit=True)
    assert found.truncated
    assert len(found.ids) == 100


@given(
    st.sampled_from(list(FAMILIES)),
    st.text("aé你🙂 \n", max_size=60),
    st.text("aé你🙂 \n", max_size=60),
    st.integers(10, 60),
    st.booleans(),
)
def test_it_always_fits_and_holds_whole_characters(name, before, after, room, told):
    tokenizer = FAMILIES[name]()
    if not before or (name == "none" and after):
        return
    options = {"path": "é.py", "repo_name": "r"} if told else {}
    found = prompt.build(tokenizer, before, after, room=room, fit=True, **options)
    text = tokenizer.decode(found.ids)
    assert len(found.ids) <= room
    assert "\ufffd" not in text
    if found.truncated:
        with pytest.raises(UserError):
            prompt.build(tokenizer, before, after, room=room, fit=False, **options)
    else:
        assert before in text
        assert after in text


def test_text_of_every_kind_is_kept_whole():
    assert shown(ours(), OTHER, OTHER) == f"<fim_prefix>{OTHER}<fim_suffix>{OTHER}<fim_middle>"
