"""POST /v1/completions as OpenAI's clients use it, streamed and whole, and every way to ask it wrongly."""

import json

import pytest

from server.conftest import client
from starloom.completion.request import Request
from starloom.server.app import make_app

PATH = "/v1/completions"


def events(response):
    """The JSON of each event but the last, which must be [DONE]."""
    lines = [line for line in response.text.split("\n\n") if line]
    assert all(line.startswith("data: ") for line in lines)
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


def ask(program, **body):
    response = program.post(PATH, json={"prompt": "def add(first", "seed": 3, "temperature": 1.0} | body)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_shape(program, completer):
    found = ask(program, max_tokens=7, unknown={"field": 1}, model="gpt-9", user="x", logprobs=None)
    assert found["id"].startswith("cmpl-")
    assert (found["object"], found["model"]) == ("text_completion", "tiny")
    assert isinstance(found["created"], int)
    done = completer.complete(Request("def add(first", max_tokens=7, seed=3, temperature=1.0))
    assert found["choices"] == [
        {"index": 0, "text": done.text, "logprobs": None, "finish_reason": done.finish_reason},
    ]
    assert found["usage"] == {
        "prompt_tokens": done.prompt_tokens,
        "completion_tokens": done.completion_tokens,
        "total_tokens": done.prompt_tokens + done.completion_tokens,
    }
    assert found["truncated"] is False


def test_defaults_are_those_of_a_request(program, completer):
    found = program.post(PATH, json={"prompt": "class", "seed": 1, "max_tokens": None, "stop": None}).json()
    assert found["choices"][0]["text"] == completer.complete(Request("class", seed=1)).text


def test_a_suffix_fills_in_the_middle(program, completer):
    found = ask(program, suffix="\n    return first", max_tokens=9)
    request = Request("def add(first", suffix="\n    return first", max_tokens=9, seed=3, temperature=1.0)
    done = completer.complete(request)
    assert found["choices"][0]["text"] == done.text
    assert found["usage"]["prompt_tokens"] == done.prompt_tokens


def test_a_stream_says_what_the_whole_says(program):
    whole = ask(program, max_tokens=12)
    response = program.post(
        PATH,
        json={
            "prompt": "def add(first",
            "seed": 3,
            "temperature": 1.0,
            "max_tokens": 12,
            "stream": True,
            "stream_options": {"include_usage": True},
        },
    )
    assert response.headers["content-type"].startswith("text/event-stream")
    *said, last = events(response)
    assert "".join(one["choices"][0]["text"] for one in said) == whole["choices"][0]["text"]
    assert [one["choices"][0]["finish_reason"] for one in said][-1] == whole["choices"][0]["finish_reason"]
    assert all(one["choices"][0]["finish_reason"] is None for one in said[:-1])
    assert (last["choices"], last["usage"]) == ([], whole["usage"])
    assert len({one["id"] for one in [*said, last]}) == 1


def test_several_choices_and_prompts(program):
    found = ask(program, n=3, max_tokens=5)
    assert [one["index"] for one in found["choices"]] == [0, 1, 2]
    assert len({one["text"] for one in found["choices"]}) > 1  # each has its own seed
    assert found["choices"][0]["text"] == ask(program, max_tokens=5)["choices"][0]["text"]
    found = ask(program, prompt=["class", "def"], n=2, max_tokens=4)
    assert [one["index"] for one in found["choices"]] == [0, 1, 2, 3]
    assert found["choices"][2]["text"] == ask(program, prompt="def", max_tokens=4)["choices"][0]["text"]
    streamed = events(program.post(PATH, json={"prompt": ["class", "def"], "max_tokens": 2, "stream": True}))
    assert {one["choices"][0]["index"] for one in streamed} == {0, 1}


def test_token_ids(program, completer):
    ids = [60, 70, 80]
    done = completer.complete(Request(tuple(ids), max_tokens=4, seed=3, temperature=1.0))
    assert ask(program, prompt=ids, max_tokens=4)["choices"][0]["text"] == done.text
    assert ask(program, prompt=[ids, [61]], max_tokens=4)["choices"][0]["text"] == done.text


def test_echo_and_stop(program):
    text = ask(program, max_tokens=20)["choices"][0]["text"]
    assert ask(program, max_tokens=20, echo=True)["choices"][0]["text"] == "def add(first" + text
    streamed = events(program.post(PATH, json={"prompt": "class", "echo": True, "stream": True, "max_tokens": 3}))
    assert streamed[0]["choices"][0]["text"].startswith("class")
    stop = next(character for character in text if character.isalpha())
    stopped = ask(program, max_tokens=20, stop=stop)["choices"][0]
    assert stopped["text"] == text[: text.index(stop)]
    assert stopped["finish_reason"] == "stop"
    assert ask(program, max_tokens=20, stop=[stop, "zzz"])["choices"][0] == stopped


def test_long_prompts(program):
    code = "print(number)\n" * 60
    response = program.post(PATH, json={"prompt": code})
    assert response.status_code == 400
    assert "there is room for 95" in response.json()["error"]["message"]
    assert program.post(PATH, json={"prompt": code, "stream": True}).status_code == 400  # before a stream begins
    assert ask(program, prompt=code, suffix="x", max_tokens=3)["truncated"] is True
    body = {"prompt": code, "suffix": "x", "max_tokens": 2, "stream": True}
    assert events(program.post(PATH, json=body))[-1]["truncated"] is True


@pytest.mark.parametrize(
    ("body", "status", "param", "words"),
    [
        (b"", 400, None, "no JSON"),
        (b"{", 400, None, "no JSON"),
        (b"[]", 400, None, "no JSON object"),
        (b"null", 400, None, "no JSON object"),
        (b"\xff\xfe", 400, None, "no JSON"),
        (b'{"prompt": "\\ud800"}', 400, None, "no JSON"),
        (b"[" * 100_000, 400, None, "no JSON"),
        (b'{"prompt": ' + b"[" * 50_000, 400, None, "no JSON"),
        ({}, 400, "prompt", "prompt is missing"),
        ({"prompt": None}, 400, "prompt", "neither text"),
        ({"prompt": 5}, 400, "prompt", "neither text"),
        ({"prompt": {"a": 1}}, 400, "prompt", "neither text"),
        ({"prompt": ["a", 1]}, 400, "prompt", "neither text"),
        ({"prompt": [1.5]}, 400, "prompt", "neither text"),
        ({"prompt": [True]}, 400, "prompt", "neither text"),
        ({"prompt": []}, 400, "prompt", "0 prompts"),
        ({"prompt": [[]]}, 400, None, "the prompt is empty"),
        ({"prompt": ""}, 400, None, "the prompt is empty"),
        ({"prompt": ["x"] * 17}, 400, "prompt", "17 prompts"),
        ({"prompt": ["x"] * 9, "n": 2}, 400, "prompt", "9 prompts, 2 choices"),
        ({"prompt": [10**9]}, 400, None, "token id 1000000000"),
        ({"prompt": [-1]}, 400, None, "token id -1"),
        ({"prompt": [1], "suffix": "x"}, 400, None, "suffix"),
        ({"prompt": [1], "echo": True}, 400, "echo", "echo"),
        ({"prompt": "x", "max_tokens": 0}, 400, None, "max_tokens is 0"),
        ({"prompt": "x", "max_tokens": "7"}, 400, "max_tokens", "integer"),
        ({"prompt": "x", "max_tokens": 1.5}, 400, "max_tokens", "integer"),
        ({"prompt": "x", "max_tokens": True}, 400, "max_tokens", "integer"),
        ({"prompt": "x", "max_tokens": 10**30}, 200, None, ""),
        (b'{"prompt": "x", "temperature": NaN}', 400, None, "temperature"),
        ({"prompt": "x", "temperature": -1}, 400, None, "temperature is -1"),
        ({"prompt": "x", "temperature": "hot"}, 400, "temperature", "number"),
        ({"prompt": "x", "top_p": 0}, 400, None, "top_p is 0"),
        ({"prompt": "x", "n": 0}, 400, "n", "greater than or equal to 1"),
        ({"prompt": "x", "n": 17}, 400, "n", "less than or equal to 16"),
        ({"prompt": "x", "best_of": 3}, 400, "best_of", "best_of"),
        ({"prompt": "x", "logprobs": 1}, 400, "logprobs", "logprobs"),
        ({"prompt": "x", "stop": 5}, 400, "stop", "stop is not"),
        ({"prompt": "x", "stop": [""]}, 400, None, "stop string"),
        ({"prompt": "x", "stop": ["a"] * 17}, 400, None, "17 stop strings"),
        ({"prompt": "x", "seed": 2**70}, 400, None, "seed is"),
        ({"prompt": "x", "stream": "yes"}, 400, "stream", "boolean"),
        ({"prompt": "x", "suffix": 1}, 400, "suffix", "string"),
    ],
)
def test_asked_wrongly(program, body, status, param, words):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    response = program.post(PATH, content=data, headers={"Content-Type": "application/json"})
    assert response.status_code == status, response.text
    if status != 200:
        error = response.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["type"] == "invalid_request_error"
        assert error["param"] == param
        assert words in error["message"]


def test_a_body_too_large(program):
    response = program.post(PATH, json={"prompt": "x" * 1_000_000})
    assert response.status_code == 413
    assert response.json()["error"]["code"] == "too_large"

    def chunks():
        for _ in range(200):
            yield b"x" * 10_000

    assert program.post(PATH, content=chunks()).status_code == 413  # without a length


def test_control_characters_and_nothing_but_blanks(program):
    for prompt in ("\x00\x1b[31m", "   ", "\n", "\N{REPLACEMENT CHARACTER}", "🙂" * 10):
        assert ask(program, prompt=prompt, max_tokens=2)["choices"][0]["finish_reason"]


def test_models_and_health(program):
    (model,) = program.get("/v1/models").json()["data"]
    assert (model["id"], model["object"]) == ("tiny", "model")
    health = program.get("/health").json()
    assert (health["status"], health["model"]) == ("ok", "tiny")


def test_methods_and_places(program):
    response = program.get(PATH)
    assert response.status_code == 405
    assert "error" in response.json()
    assert response.headers["allow"] == "POST"
    assert program.post("/v1/chat/completions", json={}).json()["error"]["message"].startswith("there is nothing at")


def test_without_a_model(empty):
    response = empty.post(PATH, json={"prompt": "x"})
    assert response.status_code == 503
    error = response.json()["error"]
    assert error["code"] == "no_model"
    assert "starloom train" in error["message"]
    assert empty.get("/v1/models").json() == {"object": "list", "data": []}
    assert empty.get("/health").json()["model"] is None
    assert empty.post(PATH, json={}).status_code == 400  # what is asked wrongly is told all the same


def test_a_bug_is_told_without_its_words(full):
    class Broken:
        name = "broken"

        def stream(self, request):
            raise RuntimeError("secret")
            yield

    with pytest.raises(RuntimeError), client(make_app(full, Broken())) as program:  # for the terminal
        program.post(PATH, json={"prompt": "x"})
    with client(make_app(full, Broken())) as program:
        program._transport.raise_server_exceptions = False
        response = program.post(PATH, json={"prompt": "x"})
    assert response.status_code == 500
    assert response.json()["error"]["type"] == "server_error"
    assert "secret" not in response.text
