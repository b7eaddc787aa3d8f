"""Examples of JSON Lines: every form, what of it is learnt, and what is no example."""

import gzip
import json

import pytest

from starloom.errors import UserError
from starloom.tokens.special_tokens import SPECIAL_IDS
from starloom.tokens.tokenizer import Tokenizer
from starloom.training.finetune.chat import Chat
from starloom.training.finetune.lines import examples
from training.finetune.models import tokenizer_folder
from training.packing import byte_tokenizer

END = 0


@pytest.fixture
def read(tmp_path):
    tokenizer = Tokenizer.open(tokenizer_folder(tmp_path / "model", byte_tokenizer()))
    chat = Chat(tokenizer, None, "model")

    def read(*lines, everything=False, name="data.jsonl"):
        path = tmp_path / name
        body = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines).encode()
        path.write_bytes(gzip.compress(body) if name.endswith(".gz") else body)
        return list(examples(path, tokenizer, chat, everything))

    return read


def test_text_is_learnt_whole_and_may_be_cut(read):
    (one,) = read({"text": "hello", "id": 7})
    assert one.laid == [("hello", True), (END, True)]
    assert (one.line, one.whole, one.talks) == (1, False, False)


def test_of_a_completion_the_prompt_is_not_learnt(read):
    (one,) = read({"prompt": "1+1=", "completion": "2"})
    assert one.laid == [("1+1=", False), ("2", True), (END, True)]
    assert one.whole
    (all_of_it,) = read({"prompt": "1+1=", "completion": "2"}, everything=True)
    assert all_of_it.laid == [("1+1=", True), ("2", True), (END, True)]


def test_conversations_and_instructions_are_the_same(read):
    talk = [{"role": "user", "content": "Add.\n\n1 and 1"}, {"role": "assistant", "content": "2"}]
    one, other, third = read(
        {"messages": talk},
        {"instruction": "Add.", "input": "1 and 1", "output": "2"},
        {"instruction": "Add.\n\n1 and 1", "response": "2"},
    )
    assert one.laid == other.laid == third.laid
    assert one.laid == [("### Instruction\nAdd.\n\n1 and 1\n\n### Response\n", False), ("2", True), (END, True)]
    assert one.talks
    assert [one.line, other.line, third.line] == [1, 2, 3]


def test_a_gap_is_laid_out_as_the_family_has_it(read):
    (one,) = read({"prefix": "a", "suffix": "c", "middle": "b", "path": "x.py"})
    ids = [piece for piece, wanted in one.laid if not wanted]
    kinds = [SPECIAL_IDS[name] for name in ("<file_sep>", "<fim_prefix>", "<fim_suffix>", "<fim_middle>")]
    assert [id for id in ids if id < len(SPECIAL_IDS)] == kinds
    assert one.laid[-2:] == [("b", True), (END, True)]


def test_a_gap_at_the_end_is_a_completion(read):
    (one,) = read({"prefix": "a", "suffix": "", "middle": "b"})
    assert one.laid == [("a", False), ("b", True), (END, True)]


def test_empty_lines_and_packed_files(read):
    assert [one.line for one in read("", {"text": "a"}, " ", {"text": "b"}, "")] == [2, 4]
    assert len(read({"text": "a"}, name="data.jsonl.gz")) == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{", "line 2 is no JSON object"),
        ("[1]", "line 2 is no JSON object"),
        ({}, "line 2: it has none of the known forms, but no keys"),
        ({"content": "a", "b": 1}, "none of the known forms, but 'content', 'b'"),
        ({"text": ""}, 'its "text" is empty'),
        ({"text": 3}, 'its "text" is no text'),
        ({"completion": "a"}, 'its "prompt" is missing'),
        ({"instruction": "a"}, 'its "output" is missing'),
        ({"middle": "a", "prefix": "b"}, 'its "suffix" is missing'),
        ({"messages": []}, "no list of messages"),
    ],
)
def test_what_is_no_example(read, line, said):
    with pytest.raises(UserError) as problem:
        read({"text": "a"}, line)
    assert said in problem.value.problem
    assert "data.jsonl" in problem.value.problem
    assert '{"prompt": …, "completion": …}' in problem.value.hint


def test_a_file_that_is_not_there_or_torn(read, tmp_path):
    with pytest.raises(UserError, match="unreadable"):
        list(examples(tmp_path / "none.jsonl", None, None, False))
    (tmp_path / "torn.gz").write_bytes(gzip.compress(b'{"text": "a"}\n' * 1000)[:40])
    with pytest.raises(UserError, match="damaged or truncated gzip"):
        list(examples(tmp_path / "torn.gz", None, None, False))


def test_no_gaps_without_tokens_for_them(tmp_path):
    from training.finetune.models import bytes_and

    tokenizer = Tokenizer.open(tokenizer_folder(tmp_path / "model", bytes_and(["<|endoftext|>"])))
    path = tmp_path / "data.jsonl"
    path.write_text('{"prefix": "a", "suffix": "c", "middle": "b"}')
    with pytest.raises(UserError, match="no tokens for fill-in-the-middle"):
        list(examples(path, tokenizer, Chat(tokenizer, None, "model"), False))
