"""The tokenizer: text never becomes a special token and comes back whole; any Hub folder opens, or says why not."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import pre_tokenizers

from starloom.errors import UserError
from starloom.tokens import byte_pairs, hub_format
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from starloom.tokens.tokenizer import Tokenizer
from starloom.tokens.tokenizer_stage import TokenizerSettings
from tokens.learning import OTHER, SOURCES, family, opened, ours, table, trained_json

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
FORGED = st.lists(st.one_of(st.sampled_from(SPECIAL_TOKENS), st.text("<>|_ fim\n", max_size=4), TEXT)).map("".join)


@given(TEXT)
def test_every_text_comes_back(text):
    ids = ours().encode(text)
    assert ours().decode(ids) == text
    assert b"".join(map(ours().token_bytes, ids)) == text.encode()


@given(FORGED)
def test_text_never_becomes_a_special_token(text):
    ids = ours().encode(text)
    assert all(number >= len(SPECIAL_TOKENS) for number in ids)
    assert ours().decode(ids) == text
    assert ours().encode_batch([text]) == [ids]


@pytest.mark.parametrize("special", [True, False])
def test_nor_with_the_added_tokens_of_other_models(special):
    tokens = ("<|endoftext|>", "<|fim_prefix|>", "<tool_call>", "</tool_call>", "<｜fim▁hole｜>")
    tokenizer = family(*tokens, special=special)
    for token in tokens:
        text = f"a {token}{token} b"
        ids = tokenizer.encode(text)
        assert max(ids) < 256
        assert tokenizer.decode(ids) == text


def test_added_tokens_that_look_like_text_are_text():
    """Some models add runs of spaces, or words their vocabulary lacked."""
    tokenizer = family("<|endoftext|>", "    ", "Kraków", special=False)
    assert tokenizer.encode("    Kraków") == [257, 258]
    assert tokenizer.decode([257, 258]) == "    Kraków"


def test_a_tokenizer_that_files_could_forge_is_refused():
    changed = table()
    changed["model"]["ignore_merges"] = True  # then a whole word of the vocabulary is taken as it is
    changed["pre_tokenizer"] = None
    with pytest.raises(UserError, match="cannot tell the text"):
        opened(changed)


def test_special_tokens_decode_to_their_spelling():
    assert ours().decode([6, *ours().encode("a/b.py\n"), 0]) == "<file_sep>a/b.py\n<|endoftext|>"
    assert ours().token_bytes(1) == b"<fim_prefix>"
    assert family("</s>", "▁<EOT>").token_bytes(257) == "▁<EOT>".encode()  # not of the byte-level alphabet


def test_numbers_that_no_token_has():
    """A model may have more rows than its tokenizer ids."""
    tokenizer = ours()
    assert tokenizer.token_bytes(tokenizer.vocabulary) == tokenizer.token_bytes(-1) == b""
    assert tokenizer.decode([*tokenizer.encode("a"), 10**9]) == "a"


def test_half_a_surrogate_pair_is_replaced():
    assert ours().decode(ours().encode("a\ud800b")) == "a\ufffdb"
    assert ours().decode(ours().encode("\ud83d\ude42")) == "🙂"
    assert ours().encode_batch(["\udfff"]) == [ours().encode("\ufffd")]


def test_the_vocabulary_is_as_asked():
    tokenizer = ours()
    assert tokenizer.vocabulary == 1000
    assert [tokenizer.token_bytes(n).decode() for n in range(38)] == list(SPECIAL_TOKENS)
    assert {tokenizer.token_bytes(n) for n in range(38, 294)} == {bytes([byte]) for byte in range(256)}
    assert len({tokenizer.token_bytes(n) for n in range(1000)}) == 1000
    assert tokenizer.sha256 == hashlib.sha256(trained_json()).hexdigest()


def test_digits_stand_alone():
    assert len(ours().encode("1234567")) == 7
    assert [ours().decode([n]) for n in ours().encode("x 12")] == ["x", " ", "1", "2"]


def test_learning_gives_the_same_bytes_in_any_process_and_order():
    script = (
        "import sys; from starloom.tokens import byte_pairs\n"
        "texts = [open(path, encoding='utf-8').read() for path in sys.argv[2:]]\n"
        "texts.append(sys.argv[1] * 3)\n"
        "found = byte_pairs.learn([[one] for one in reversed(texts)], 1000)\n"
        "sys.stdout.buffer.write(found.to_str(pretty=True).encode())"
    )
    done = subprocess.run([sys.executable, "-c", script, OTHER, *SOURCES], capture_output=True, check=True)
    assert done.stdout == trained_json()


def test_the_byte_alphabet_is_the_librarys():
    assert set(byte_pairs.byte_characters()) == set(pre_tokenizers.ByteLevel.alphabet())
    for byte in range(128):  # a byte by itself: what is no character starts at 0x80
        (token, _), *_ = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False).pre_tokenize_str(chr(byte))
        assert byte_pairs.byte_characters()[token] == byte


# Folders


def put(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.filterwarnings("ignore")  # transformers' imports
def test_transformers_reads_the_folder_and_gives_the_same_ids(tmp_path):
    transformers = pytest.importorskip("transformers")
    theirs = transformers.AutoTokenizer.from_pretrained(put(tmp_path, ours().files()), local_files_only=True)
    for text in ("def f(x):\n    return 12345  # naïve  \r\n", OTHER, "'s 't  1", ""):
        assert theirs.encode(text, add_special_tokens=False) == ours().encode(text)
        assert theirs.decode(ours().encode(text)) == text
    assert theirs.encode("<fim_prefix>a<fim_suffix>") == [1, *ours().encode("a"), 3]  # theirs reads markers in a text
    assert (theirs.eos_token_id, theirs.bos_token_id, len(theirs)) == (0, 0, 1000)


def test_a_folder_opens_with_what_it_holds(tmp_path):
    config = {"eos_token": {"content": "<pr>"}, "more": 1}
    folder = put(tmp_path, {"tokenizer.json": trained_json(), "tokenizer_config.json": json.dumps(config).encode()})
    tokenizer = Tokenizer.open(folder)
    assert tokenizer.end_of_text == 0  # `<|endoftext|>` ends a document, whatever ends a chat's turn
    assert set(tokenizer.files()) == {"tokenizer.json", "tokenizer_config.json"}
    assert tokenizer.files()["tokenizer.json"] == trained_json()


def test_the_end_that_the_configuration_names():
    changed = family("<one>", "</s>", "<stop>").files()
    assert Tokenizer(changed, "x").end_of_text == 257
    named = {**changed, "special_tokens_map.json": b'{"eos_token": "<stop>"}'}
    assert Tokenizer(named, "x").end_of_text == 258
    assert Tokenizer({**named, "tokenizer_config.json": b"not JSON"}, "x").end_of_text == 258


def test_what_would_cut_pad_or_vary_is_switched_off():
    changed = table()
    changed["truncation"] = {"direction": "Right", "max_length": 3, "strategy": "LongestFirst", "stride": 0}
    changed["padding"] = {
        "strategy": {"Fixed": 100},
        "direction": "Right",
        "pad_to_multiple_of": None,
        "pad_id": 0,
        "pad_type_id": 0,
        "pad_token": "<|endoftext|>",
    }
    changed["model"]["dropout"] = 0.9
    tokenizer = opened(changed)
    text = "def function(argument):\n    return argument\n"
    assert tokenizer.encode(text) == ours().encode(text)
    assert tokenizer.encode_batch([text, ""]) == [ours().encode(text), []]


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "is no tokenizer of Hugging Face's"),
        (b"\xff\xfe\x00", "is no tokenizer of Hugging Face's"),
        (b"[]", "is no tokenizer of Hugging Face's"),
        (b"{}", "is no tokenizer of Hugging Face's"),
        (b'{"model": 1}', "is no tokenizer of Hugging Face's"),
        (b'{"model": {"type": "BPE"}, "added_tokens": [1]}', "is no tokenizer of Hugging Face's"),
        (b'{"model": {"type": "no such"}}', "tokenizer.json: "),
        (trained_json()[:5000], "is no tokenizer of Hugging Face's"),  # an interrupted download
        (b"[" * 100_000, "is no tokenizer of Hugging Face's"),
    ],
)
def test_a_damaged_file(tmp_path, data, problem):
    with pytest.raises(UserError, match=problem) as raised:
        Tokenizer.open(put(tmp_path / "model", {"tokenizer.json": data}))
    assert str(tmp_path / "model" / "tokenizer.json") in raised.value.problem
    assert "download it again" in raised.value.hint


@pytest.mark.parametrize("number", [1 << 24, 2**32 - 1])
def test_ids_that_would_fill_the_memory(number):
    changed = table()
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    changed["added_tokens"].append({"id": number, "content": "<far away>", **flags})
    with pytest.raises(UserError, match=f"changed has ids up to {number}") as raised:
        opened(changed)
    assert raised.value.hint == "take one with 1 to 16,777,216 tokens"


def test_added_ids():
    assert ours().added == frozenset(range(38))
    assert family("<|endoftext|>", "    ", special=False).added == {256, 257}


def test_a_file_alone(tmp_path):
    """Whatever its name; what stands beside it is not its own."""
    put(tmp_path, {"mine.json": trained_json(), "tokenizer_config.json": b'{"eos_token": "<pr>"}'})
    assert Tokenizer.open(tmp_path / "mine.json").files() == {"tokenizer.json": trained_json()}


def test_without_an_end(tmp_path):
    """To be compared, a tokenizer needs no token that ends a text."""
    data = family("<|endoftext|>").files()["tokenizer.json"].replace(b"<|endoftext|>", b"<EOT>")
    put(tmp_path, {"tokenizer.json": data})
    with pytest.raises(UserError, match="no token that ends a text"):
        Tokenizer.open(tmp_path)
    tokenizer = Tokenizer.open(tmp_path, needs_end=False)
    assert (tokenizer.end_of_text, tokenizer.decode(tokenizer.encode("é"))) == (-1, "é")


def test_a_folder_without_one(tmp_path):
    with pytest.raises(UserError, match=r"holds no tokenizer\.json") as raised:
        Tokenizer.open(tmp_path / "tokenizer")
    assert "starloom tokenizer" in raised.value.hint
    with pytest.raises(UserError) as raised:
        Tokenizer.open(tmp_path)
    assert "name a folder" in raised.value.hint
    with pytest.raises(UserError) as raised:
        hub_format.read_files(Path("bigcode/starcoder2-3b"))
    assert "hf download bigcode/starcoder2-3b tokenizer.json" in raised.value.hint


@pytest.mark.parametrize("wrong", [{"vocabulary": 293}, {"sample_bytes": 0}])
def test_settings_out_of_range(wrong):
    with pytest.raises(UserError, match=r"\[tokenizer\]"):
        TokenizerSettings(**wrong)
