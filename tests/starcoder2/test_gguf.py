"""llama.cpp's converter, played by scripts: it is found, asked rightly, believed only when it made a file."""

import json

import pytest

from completion.building import tokenizer_json
from starloom.errors import UserError
from starloom.starcoder2 import gguf

GOOD = """
import sys
folder, *options = sys.argv[1:]
values = dict(zip(options[::2], options[1::2]))
open(values["--outfile"], "w").write(f"GGUF of {folder} in {values['--outtype']}")
"""


@pytest.fixture
def model(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    return folder


@pytest.fixture
def converter(tmp_path):
    """`converter(text)`: a script of that text, in a folder of its own."""

    def make(text=GOOD):
        path = tmp_path / "llama.cpp" / gguf.CONVERTER
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return path

    return make


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_it_converts(model, converter, dtype, monkeypatch):
    short = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}[dtype]
    path = converter()
    for named in (str(path), str(path.parent), gguf.CONVERTER):
        monkeypatch.setenv("PATH", str(path.parent))
        made = gguf.convert(model, named, dtype)
        assert made == model.parent / "model.gguf"
        assert made.read_text() == f"GGUF of {model} in {short}"
        made.unlink()
    assert sorted(path.name for path in model.parent.iterdir()) == ["llama.cpp", "model"]


def test_it_is_not_there(model, monkeypatch):
    monkeypatch.setenv("PATH", "relative:/usr/bin")
    for named in (gguf.CONVERTER, str(model / gguf.CONVERTER)):
        with pytest.raises(UserError, match="converter is not at") as caught:
            gguf.convert(model, named, "float32")
        assert "git clone https://github.com/ggml-org/llama.cpp" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise NotImplementedError('BPE pre-tokenizer was not recognized')", "BPE pre-tokenizer was not recognized"),
        ("", "it said nothing"),
        ("import sys; print('\\x1b[2J', file=sys.stderr); sys.exit(3)", r"x1b\[2J"),
    ],
)
def test_what_it_says_when_it_fails(model, converter, text, told):
    with pytest.raises(UserError, match=told) as caught:
        gguf.convert(model, str(converter(text)), "float32")
    assert "\x1b" not in caught.value.problem
    assert not (model.parent / "model.gguf").exists()


def test_a_half_made_file_goes(model, converter):
    path = converter(GOOD + "sys.exit('no space')")
    with pytest.raises(UserError, match="no space"):
        gguf.convert(model, str(path), "float32")
    assert sorted(path.name for path in model.parent.iterdir()) == ["llama.cpp", "model"]


ASKING = """
import sys

class TextModel:
    def get_vocab_base_pre(self, tokenizer):
        if tokenizer == "known":
            return "its own"
        raise NotImplementedError("BPE pre-tokenizer was not recognized")

class Starcoder2Model(TextModel):
    pass

def main():
    said = [Starcoder2Model().get_vocab_base_pre(one) for one in ("known", "learnt")]
    open(sys.argv[3], "w").write(" ".join(said))

if __name__ == "__main__":
    main()
"""


def test_a_tokenizer_learnt_here_is_starcoders(model, converter):
    """The converter is told how it cuts text, where it asks and does not know."""
    (model / "tokenizer.json").write_bytes(tokenizer_json())
    assert gguf.convert(model, str(converter(ASKING)), "float32").read_text() == "its own starcoder"


def test_another_tokenizer_is_the_converters_business(model, converter):
    table = json.loads(tokenizer_json())
    for change in (
        {"pre_tokenizer": table["pre_tokenizer"]["pretokenizers"][1]},
        {"pre_tokenizer": None},
        {"normalizer": {"type": "NFC"}},
    ):
        (model / "tokenizer.json").write_text(json.dumps(table | change))
        with pytest.raises(UserError, match="pre-tokenizer was not recognized"):
            gguf.convert(model, str(converter(ASKING)), "float32")
