"""A model in this process: its text is what its tokens say, it stops where it should, and refuses what does not fit."""

import json
import threading

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from completion import building
from starloom.completion.local import LocalCompleter
from starloom.completion.request import Request
from starloom.errors import UserError
from starloom.starcoder2 import decode
from starloom.starcoder2.open import open_model
from starloom.tokens.special_tokens import SPECIAL_TOKENS
from starloom.tokens.tokenizer import Tokenizer


class Scripted:
    """A CausalModel that says one text, whatever it is asked; `steps`: the ids it was given at each."""

    model_type = "scripted"
    guesses = False

    def __init__(self, ids, vocabulary, context=64):
        self.ids, self.vocabulary, self.context = ids, vocabulary, context
        self.steps = []

    def step(self, ids, cache, last):
        self.steps.append(ids[0].tolist())
        logits = torch.zeros(last, self.vocabulary)
        logits[0, self.ids[min(cache or 0, len(self.ids) - 1)]] = 100.0
        return logits, (cache or 0) + 1

    def cut(self, cache, length):
        return False


@pytest.fixture(scope="session")
def tokenizer(tiny):
    return Tokenizer.open(tiny)


@pytest.fixture
def say(tokenizer):
    """`say(text, after=ids)`: a completer whose model says `text`, then the ids, then nothing more."""

    def make(text, after=(0,), **options):
        model = Scripted([*tokenizer.encode(text), *after], tokenizer.vocabulary, **options)
        return LocalCompleter("scripted", model, tokenizer)

    return make


# --- what is said ----------------------------------------------------------------------------------------------------


def test_text_and_reason(say):
    done = say("return 数学 🙂").complete(Request("def f():", temperature=0))
    assert (done.text, done.finish_reason) == ("return 数学 🙂", "stop")
    done = say("return first + second").complete(Request("def f():", temperature=0, max_tokens=3))
    assert done.finish_reason == "length"
    assert "return first + second".startswith(done.text)
    assert done.completion_tokens == 3


@pytest.mark.parametrize("marker", range(len(SPECIAL_TOKENS) - 4))  # the last four stand for redacted data
def test_no_marker_is_shown(say, marker):
    done = say("x", after=(marker,)).complete(Request("def f():", temperature=0))
    assert (done.text, done.finish_reason) == ("x", "stop")


def test_the_text_of_a_marker_is_text(say):
    assert say("print('<fim_prefix>')").complete(Request("def f():", temperature=0)).text == "print('<fim_prefix>')"


def test_stop_strings(say):
    done = say("    return 1\n\n\nclass A:").complete(Request("def f():", temperature=0, stop=("\nclass", "\n\n")))
    assert (done.text, done.finish_reason) == ("    return 1", "stop")


def test_the_model_is_asked_no_more_than_is_shown(say):
    completer = say("one two three four five six seven eight")
    completer.complete(Request("def f():", temperature=0, stop=("two",)))
    assert len(completer._model.steps) < 8
    completer._model.steps.clear()
    stream = completer.stream(Request("def f():", temperature=0))
    next(stream)
    stream.close()
    assert len(completer._model.steps) == 1
    assert completer.complete(Request("x", temperature=0, max_tokens=1)).completion_tokens == 1  # it is free again


def test_a_small_model_takes_one_thread_and_gives_the_others_back(completer):
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(2)
        stream = completer.stream(Request("def f("))
        next(stream)
        assert torch.get_num_threads() == 1
        stream.close()
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_one_request_at_a_time(say):
    completer = say("one two three")
    first = completer.stream(Request("x", temperature=0))
    next(first)
    second = threading.Thread(target=lambda: completer.complete(Request("y", temperature=0)))
    second.start()
    second.join(0.2)
    assert second.is_alive()
    first.close()
    second.join(10)
    assert not second.is_alive()


# --- against the model itself ----------------------------------------------------------------------------------------


def test_the_tokens_of_a_real_model(completer, tiny, tokenizer):
    """Greedy, without a blank at the end: what decode gives for the plain prompt."""
    model = open_model(tiny)
    ids = tokenizer.encode("def add(first,")
    tokens = list(decode.generate(model, ids, max_tokens=30, stops=tokenizer.stops))
    done = completer.complete(Request("def add(first,", temperature=0, max_tokens=30))
    expected = b"".join(tokenizer.token_bytes(token) for token in tokens)
    assert expected.decode("utf-8", "replace").startswith(done.text)  # but for half a character at its end
    assert (done.prompt_tokens, done.completion_tokens) == (len(ids), len(tokens))
    assert completer.complete(Request(tuple(ids), temperature=0, max_tokens=30)).text == done.text


@settings(max_examples=40)
@given(
    st.sampled_from(["def f(x):\n    ", "x = [1,\n\t", "for a in b: ", "\n", "if x:\n        \n    "]),
    st.integers(0, 2**32),
    st.booleans(),
)
def test_held_back_blanks_come_first(completer, tokenizer, prompt, seed, fill):
    """Healing: prompt and answer together are text that begins with the prompt, and none of it is said twice."""
    request = Request(prompt, suffix="y\n" if fill else None, temperature=1.0, seed=seed, max_tokens=6)
    pieces = list(completer.stream(request))
    text = "".join(piece.text for piece in pieces)
    prefix = prompt.rstrip() if prompt.strip() or fill else prompt
    whole = Request(prefix, suffix=request.suffix, temperature=1.0, seed=seed, max_tokens=6)
    assert pieces[0].prompt_tokens == completer.complete(whole).prompt_tokens
    assert pieces[-1].completion_tokens <= 6
    assert pieces[-1].finish_reason
    assert not any(piece.finish_reason for piece in pieces[:-1])
    assert text == completer.complete(request).text  # the same seed


def test_the_blank_and_the_word_after_it_are_one_token(tokenizer):
    """`x = ` with the blank held back: the model may say ` first`, one token, and only `first` is shown."""
    (token,) = tokenizer.encode(" first")
    completer = LocalCompleter("scripted", Scripted([token, 0], tokenizer.vocabulary), tokenizer)
    done = completer.complete(Request("x = ", temperature=0))
    assert (done.text, done.completion_tokens) == ("first", 1)


def test_seeds(completer):
    same = [completer.complete(Request("class", temperature=1.0, seed=4)).text for _ in range(2)]
    assert same[0] == same[1]
    others = {completer.complete(Request("class", temperature=1.0)).text for _ in range(4)}
    assert len(others) > 1


# --- several at once, and what was read before ----------------------------------------------------------------------


def test_answers_made_together_are_those_made_alone(completer, tiny):
    requests = [
        Request("def add(first,", temperature=0, max_tokens=20),
        Request("class Reader:\n    ", temperature=1.0, seed=3, max_tokens=30),
        Request("class Reader:\n    ", temperature=1.0, seed=4, max_tokens=30),
        Request("for number in", suffix="\n    print(number)\n", temperature=0.8, seed=5, max_tokens=9),
        Request("return ", temperature=1.0, seed=6, max_tokens=40, stop=("e", "\n")),
        Request("x" * 300, temperature=1.0, seed=7, max_tokens=10, fit=True),
        *(Request(f"x{number} =", temperature=1.5, seed=number, max_tokens=1 + number) for number in range(14)),
    ]
    together = LocalCompleter.open(tiny).complete_batch(requests)
    assert together == [completer.complete(request) for request in requests]
    assert {done.finish_reason for done in together} == {"stop", "length"}
    assert completer.complete_batch([]) == []
    assert completer.complete_batch(requests[:1]) == together[:1]


def test_other_models_answer_one_after_the_other(say):
    completer = say("one two")
    done = completer.complete_batch([Request("x", temperature=0), Request("y", temperature=0, max_tokens=1)])
    assert [one.text for one in done] == ["one two", completer.complete(Request("y", temperature=0, max_tokens=1)).text]


def test_what_an_editor_sends_again_is_not_read_again(tiny, monkeypatch):
    """A suffix, too, only moves along: the common beginning is what counts."""
    completer = LocalCompleter.open(tiny)
    model, read = completer._model, []
    step = type(model).step

    def counted(self, ids, cache, last=1):
        read.append(ids.shape[1])
        return step(self, ids, cache, last)

    monkeypatch.setattr(type(model), "step", counted)
    code = "def add(first, second):\n    return first + second\n" * 4
    first = completer.complete(Request(code, temperature=0, max_tokens=4))
    assert read[0] == first.prompt_tokens
    read.clear()
    again = completer.complete(Request(code + "class Reader", temperature=0, max_tokens=4))
    assert read[0] < again.prompt_tokens / 2
    assert again == LocalCompleter.open(tiny).complete(Request(code + "class Reader", temperature=0, max_tokens=4))


def test_half_precision(tiny):
    completer = LocalCompleter.open(tiny, dtype="bfloat16")
    assert completer._model.network.head.dtype == torch.bfloat16
    assert completer.complete(Request("def add(", temperature=0, max_tokens=5)).completion_tokens <= 5


# --- windows ---------------------------------------------------------------------------------------------------------


def test_a_long_prompt_is_refused_or_fitted(completer):
    code = "print(number)\n" * 40
    with pytest.raises(UserError, match=r"the prompt has \d+ tokens; there is room for 95"):
        completer.complete(Request(code))
    done = completer.complete(Request(code, fit=True, max_tokens=20))
    assert done.truncated
    assert done.prompt_tokens <= 96 - 20
    done = completer.complete(Request(code, suffix=code, fit=True, max_tokens=1000))
    assert done.truncated
    assert done.prompt_tokens <= 96 / 2
    assert not completer.complete(Request("x", suffix="y", fit=True)).truncated


def test_the_window_ends_the_answer(say):
    done = say("a " * 200, context=20).complete(Request("def f", temperature=0, max_tokens=500))
    assert done.finish_reason == "length"
    assert done.prompt_tokens + done.completion_tokens == 20


@pytest.mark.parametrize(
    ("prompt", "word"),
    [
        ((5, 10_000), "token id 10000 is not in the vocabulary"),
        ((5, -1), "token id -1 is not in"),
        ((5,) * 96, "the prompt has 96 tokens, and the window of tiny is 96"),
    ],
)
def test_prompts_that_are_none(completer, prompt, word):
    with pytest.raises(UserError, match=word):
        completer.complete(Request(prompt))


# --- folders ---------------------------------------------------------------------------------------------------------


def test_names(tiny, tmp_path):
    assert LocalCompleter.open(tiny).name == "tiny"
    run = tmp_path / "models" / "small"
    run.mkdir(parents=True)
    (run / "model").symlink_to(tiny)
    assert LocalCompleter.open(run / "model", "other").name == "other"


def test_a_model_without_fill_in_the_middle(tmp_path):
    table = json.loads(building.tokenizer_json())
    for token in table["added_tokens"]:
        token["content"] = token["content"].replace("fim_", "some_")
    for name in list(table["model"]["vocab"]):
        if name.startswith("<fim_"):
            table["model"]["vocab"][name.replace("fim_", "some_")] = table["model"]["vocab"].pop(name)
    files = {"tokenizer.json": json.dumps(table).encode()}
    folder = building.model_folder(tmp_path / "plain", files=files, vocabulary=420)
    completer = LocalCompleter.open(folder)
    assert completer.complete(Request("def", max_tokens=2)).completion_tokens <= 2
    with pytest.raises(UserError, match="plain has no fill-in-the-middle tokens"):
        completer.complete(Request("def", suffix="x"))


@pytest.mark.parametrize("vocabulary", [300, 600])
def test_a_model_of_another_vocabulary(tmp_path, tiny, vocabulary):
    files = Tokenizer.open(tiny).files()
    folder = building.model_folder(tmp_path / "other", files=files, vocabulary=vocabulary)
    with pytest.raises(UserError, match=f"a model of another vocabulary: {vocabulary} tokens"):
        LocalCompleter.open(folder)


def test_a_padded_vocabulary_is_one(tmp_path, tiny):
    tokenizer = Tokenizer.open(tiny)
    rows = -(-tokenizer.vocabulary // 32) * 32
    folder = building.model_folder(tmp_path / "padded", files=tokenizer.files(), vocabulary=rows)
    done = LocalCompleter.open(folder).complete(Request("def", temperature=50.0, seed=1, max_tokens=90, top_p=1.0))
    assert done.completion_tokens <= 90


def test_folders_that_hold_no_model(tmp_path, tiny):
    with pytest.raises(UserError, match="is no folder"):
        LocalCompleter.open(tmp_path / "missing")
    with pytest.raises(UserError, match=r"tokenizer\.json"):
        LocalCompleter.open(tmp_path)
    (tmp_path / "tokenizer.json").write_bytes((tiny / "tokenizer.json").read_bytes())
    with pytest.raises(UserError, match=r"config\.json"):
        LocalCompleter.open(tmp_path)
