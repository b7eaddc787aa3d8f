"""Token classifiers of Hugging Face: small ones that label by the token alone, so what they must find is known."""

import itertools
import json
import re
import sys

import pytest
import torch
import transformers
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from transformers.utils import logging

from starloom.errors import UserError
from starloom.outside import hub
from starloom.privacy import names_model
from starloom.privacy.finding import Finding
from starloom.privacy.labelled_tokens import Label, Token, findings, label_of
from starloom.privacy.model_folder import fetch, mark
from starloom.privacy.names_model import NamesModelSettings, open_names_model

LABELS = ["O", "B-NAME", "I-NAME", "B-KEY", "I-KEY", "B-AMBIGUOUS", "EMAIL", "B-USERNAME", "I-PASSWORD", "B-IP_ADDRESS"]
WORDS = {  # label of each word; `##` goes on inside a word
    "Ada": "B-NAME",
    "Lovelace": "I-NAME",
    "Byron": "I-NAME",
    "Kim": "B-NAME",
    "sesame1234": "B-KEY",
    "opensesame": "I-KEY",
    "who": "B-AMBIGUOUS",
    "mail": "EMAIL",
    "adal": "B-USERNAME",
    "hunter2": "I-PASSWORD",
    "address": "B-IP_ADDRESS",
    "def": "O",
    "x": "O",
    "return": "O",
    "(": "O",
    ",": "O",
    "##lace": "I-NAME",
    "Love": "I-NAME",
}
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]


def save(folder, labels=LABELS, words=WORDS, blind=0, positions=66, **options):
    """A model that labels each token as WORDS says; at the first and last `blind` positions it sees nothing."""
    logging.disable_progress_bar()
    folder.mkdir(parents=True, exist_ok=True)
    vocab = [*SPECIAL, *words]
    (folder / "vocab.txt").write_text("\n".join(vocab))
    tokenizer = transformers.BertTokenizerFast(vocab=str(folder / "vocab.txt"), do_lower_case=False)
    tokenizer.save_pretrained(folder)
    hidden = len(vocab) + 1  # one for each word, and one for a position at which nothing is seen
    config = transformers.BertConfig(
        vocab_size=len(vocab),
        hidden_size=hidden,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=positions,
        id2label=dict(enumerate(labels)),
        label2id={name: place for place, name in enumerate(labels)},
        **options,
    )
    model = transformers.BertForTokenClassification(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        for name, parameter in model.named_parameters():
            if name.endswith("LayerNorm.weight"):
                parameter.fill_(1.0)
        embeddings = model.bert.embeddings
        embeddings.word_embeddings.weight[:, :-1] = torch.eye(len(vocab)) * 4
        for place in range(blind):
            embeddings.position_embeddings.weight[1 + place, -1] = 40.0
            embeddings.position_embeddings.weight[positions - 4 - place, -1] = 40.0
        model.classifier.weight[labels.index("O") if "O" in labels else 0, -1] = 20.0
        for place, word in enumerate(vocab):
            model.classifier.weight[labels.index(words.get(word, "O")) if labels is LABELS else 0, place] = 10.0
    model.save_pretrained(folder)
    return model


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("models") / "words"
    save(place)
    return place


def spans(model, *texts):
    """What is found as (kind, text)."""
    return [[(one.kind, text[one.start : one.end]) for one in some] for text, some in zip(texts, model.find(texts))]


def test_spans_of_kinds(folder):
    model = open_names_model(folder)
    assert model.name == "names model words"
    text = 'def Ada Lovelace, who return ("sesame1234") mail adal hunter2'
    found = model.find([text])[0]
    assert [(one.kind, text[one.start : one.end]) for one in found] == [
        ("NAME", "Ada Lovelace"),
        ("KEY", "sesame1234"),
        ("EMAIL", "mail"),
        ("USERNAME", "adal"),
        ("PASSWORD", "hunter2"),
    ]
    assert {one.detector for one in found} == {"names-model"}
    assert all(0.99 < one.confidence <= 1 for one in found)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        (" \n\t\r\n", []),
        ("Ada", []),  # one word: the paper skips it
        ("Ada Kim Byron", [("NAME", "Kim Byron")]),  # B begins anew; "Ada" alone is one word
        ("Lovelace Byron", [("NAME", "Lovelace Byron")]),  # I without B begins
        ("Ada Lovelace", [("NAME", "Ada Lovelace")]),
        ("Ada\r\nLovelace", [("NAME", "Ada\r\nLovelace")]),
        ("Ada x Lovelace", []),  # not neighbours
        ("Ada Byron sesame1234 opensesame", [("NAME", "Ada Byron"), ("KEY", "sesame1234 opensesame")]),
        ("x Kim Lovelace Ada Byron", [("NAME", "Kim Lovelace"), ("NAME", "Ada Byron")]),
        ("\ud800 Ada Lovelace \udfff", [("NAME", "Ada Lovelace")]),
        ("\U0001f600 Ada Byron \U0001f600", [("NAME", "Ada Byron")]),
        ("\0Ada Byron\0", [("NAME", "Ada Byron")]),
        ("[CLS] Ada Byron [SEP]", [("NAME", "Ada Byron")]),  # text, not tokens of the model's own
    ],
    ids=[
        *("empty", "white", "one-word", "begins-anew", "without-b", "at-both-ends", "crlf", "apart", "two-kinds"),
        *("two-names", "surrogates", "astral", "nul", "special-tokens"),
    ],
)
def test_merging(folder, text, expected):
    assert spans(open_names_model(folder), text) == [expected]


def test_inside_a_word(tmp_path):
    """Pieces of one word are one span."""
    words = {key: value for key, value in WORDS.items() if key != "Lovelace"}
    save(tmp_path / "pieces", words=words)
    assert spans(open_names_model(tmp_path / "pieces"), "x Ada Lovelace x") == [[("NAME", "Ada Lovelace")]]


PLAIN = [word for word in WORDS if word.isalnum()]


def expected_spans(words, gaps):
    """The spans of words with gaps before them, by the rules as they are stated, word by word."""
    found, run, at = [], None, 0
    for word, gap in zip(words, gaps):
        start, at = at + len(gap), at + len(gap) + len(word)
        prefix, _, kind = WORDS[word].rpartition("-")
        if run and run["kind"] == kind and prefix != "B":
            run["end"], run["words"] = at, run["words"] + 1
            continue
        run = {"kind": kind, "start": start, "end": at, "words": 1}
        found.append(run)
    shortest = {"KEY": 9, "NAME": 4, "EMAIL": 4, "USERNAME": 4, "PASSWORD": 4, "IP_ADDRESS": 4}
    return [
        (one["kind"], one["start"], one["end"])
        for one in found
        if one["kind"] in shortest
        and one["end"] - one["start"] >= shortest[one["kind"]]
        and (one["kind"] != "NAME" or one["words"] > 1)
    ]


TEXTS = st.lists(st.tuples(st.sampled_from(PLAIN), st.sampled_from([" ", "\n", "  ", "\r\n", "\t"])), max_size=120)


@given(st.lists(TEXTS, max_size=5), st.integers(8, 40), st.integers(0, 40), st.integers(1, 9), st.integers(600, 900))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_windows_pieces_and_batches_do_not_matter(folder, monkeypatch, texts, window, overlap, batch, piece):
    monkeypatch.setattr(names_model, "PIECE", piece)
    model = open_names_model(folder, NamesModelSettings(window=window, overlap=overlap, batch=batch))
    whole = ["".join(gap + word for word, gap in one) for one in texts]
    found = [[(one.kind, one.start, one.end) for one in some] for some in model.find(whole)]
    assert found == [expected_spans(*zip(*one, strict=True)) if one else [] for one in texts]


def test_a_long_text(folder):
    """Pieces as they are, and more windows than are gathered at once."""
    words = (PLAIN * 6_000)[:60_000]
    text = " " + " ".join(words)
    model = open_names_model(folder)
    found = [(one.kind, one.start, one.end) for one in model.find(["x", text])[1]]
    assert len(text) > 8 * names_model.PIECE
    assert found == expected_spans(words, [" "] * len(words))


def test_a_label_comes_from_where_its_token_has_most_around_it(tmp_path):
    """A model that is blind at the edges of its windows finds all the same, but at the ends of a text."""
    save(tmp_path / "blind", blind=4, positions=34)
    words = ["Ada", "Lovelace"] * 150
    model = open_names_model(tmp_path / "blind", NamesModelSettings(window=32, overlap=16))
    found = spans(model, " ".join(["x"] * 6 + words + ["x"] * 6))[0]
    assert found == [("NAME", "Ada Lovelace")] * 150
    narrow = open_names_model(tmp_path / "blind", NamesModelSettings(window=32, overlap=0))
    assert len(spans(narrow, " ".join(["x"] * 6 + words + ["x"] * 6))[0]) < 150


def test_bytes_as_tokens(tmp_path):
    """RoBERTa's kind of tokens, StarPII's too: a space is part of the token after it, a sign may be many tokens."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    made = Tokenizer(models.BPE(unk_token=None))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    names = ["Ada Lovelace", "x Ada Lovelace"] * 50
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "<pad>", "</s>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(names, trainer)
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", made.token_to_id("<s>")), ("</s>", made.token_to_id("</s>"))]
    )
    folder = tmp_path / "bytes"
    transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>"
    ).save_pretrained(folder)
    size = made.get_vocab_size()
    config = transformers.RobertaConfig(
        vocab_size=size,
        hidden_size=size,
        num_hidden_layers=1,
        num_attention_heads=1,
        intermediate_size=4,
        max_position_embeddings=20,
        pad_token_id=1,
        id2label={0: "O", 1: "B-NAME", 2: "I-NAME", 3: "B-PASSWORD", 4: "I-PASSWORD"},
    )
    model = transformers.RobertaForTokenClassification(config)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            parameter.fill_(1.0 if name.endswith("LayerNorm.weight") else 0.0)
        model.roberta.embeddings.word_embeddings.weight[:] = torch.eye(size) * 4
        model.classifier.weight[0] = 5.0
        for token, label in ((" Ada", 1), (" Lovelace", 2)):
            [number] = made.encode(token, add_special_tokens=False).ids
            model.classifier.weight[label, number] = 50.0
        for number in made.encode("\U0001f600", add_special_tokens=False).ids:
            model.classifier.weight[4, number] = 50.0
    model.save_pretrained(folder)
    opened = open_names_model(folder, NamesModelSettings(window=18, overlap=4, batch=2))
    text = "é x Ada Lovelace x" * 20
    assert spans(opened, text) == [[("NAME", "Ada Lovelace")] * 20]
    assert spans(opened, "x" + "\U0001f600" * 6 + "x") == [[("PASSWORD", "\U0001f600" * 6)]]
    texts = ["x Ada Lovelace x", "\U0001f600 Ada Lovelace", "<s> Ada Lovelace </s>"]
    assert spans(opened, *texts) == [[("NAME", "Ada Lovelace")]] * 3


# Labels and tokens, without a model


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("O", None),
        ("", None),
        ("B-", None),
        ("B-NAME", Label("NAME", True)),
        ("I-NAME", Label("NAME", False)),
        ("S-KEY", Label("KEY", True)),
        ("U-KEY", Label("KEY", True)),
        ("L-KEY", Label("KEY", False)),
        ("b_ip_address", Label("IP_ADDRESS", True)),
        ("IP-ADDRESS", Label("IP_ADDRESS", False)),
        ("PER", Label("NAME", False)),
        ("B-PERSON", Label("NAME", True)),
        ("B-AMBIGUOUS", None),
        ("B-LOC", None),
        ("LABEL_1", None),
    ],
)
def test_labels(name, expected):
    assert label_of(name) == expected


@given(
    st.text(st.sampled_from("ab c'\n=@\U0001f600"), max_size=60),
    st.lists(
        st.tuples(st.integers(0, 60), st.integers(0, 9), st.sampled_from(LABELS[1:]), st.sampled_from([0.2, 0.6, 1.0])),
        max_size=30,
    ),
)
def test_findings_are_in_order_inside_and_apart(text, made):
    tokens = [
        Token(number, min(start, len(text)), min(start + size, len(text)), told, sure)
        for number, (start, size, label, sure) in enumerate(sorted(made))
        if (told := label_of(label))
    ]
    found = findings(text, tokens, 0.5)
    for one, following in itertools.pairwise(found):
        assert one.end <= following.start
    for one in found:
        assert 0 <= one.start < one.end <= len(text)
        assert text[one.start : one.end].strip() == text[one.start : one.end]
        assert one.confidence >= 0.5


def test_what_is_not_sure_or_no_number_is_not_found():
    name = Label("NAME", False)
    for sure, count in ((0.49, 0), (0.5, 1), (float("nan"), 0), (1.0, 1)):
        tokens = [Token(0, 0, 3, name, sure), Token(1, 4, 9, name, sure)]
        assert len(findings("Ada Byron", tokens, 0.5)) == count
    mixed = [Token(0, 0, 3, name, 1.0), Token(1, 4, 9, name, 0.5)]
    assert findings("Ada Byron", mixed, 0.5) == [Finding(0, 9, "NAME", "names-model", 0.75)]


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        ("NAME", '"Ada Byron",', "Ada Byron"),
        ("KEY", '"abc+/123456=="', 'abc+/123456=="'),  # what a key ends in is left to it, as by BigCode
        ("KEY", "'12345678", None),  # eight characters
        ("PASSWORD", "=abc", None),  # three
        ("PASSWORD", "=abc!", "abc!"),
        ("EMAIL", "<a@b.io>;", "a@b.io"),
        ("NAME", "''", None),
    ],
)
def test_edges_and_what_is_too_short(kind, value, kept):
    found = findings(value, [Token(0, 0, len(value), Label(kind, True), 1.0)], 0.5)
    assert [value[one.start : one.end] for one in found] == ([kept] if kept else [])


# What is refused


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"window": 7}, "window = 7 is out of range"),
        ({"overlap": -1}, "overlap = -1 is out of range"),
        ({"batch": 0}, "batch = 0 is out of range"),
        ({"least": 1.5}, "least = 1.5 is out of range"),
        ({"device": "nonsense"}, "cannot be opened as a token classifier"),
    ],
    ids=["window", "overlap", "batch", "least", "device"],
)
def test_settings_out_of_range(folder, options, words):
    with pytest.raises(UserError, match=words):
        open_names_model(folder, NamesModelSettings(**options))


def test_no_folder_and_no_model(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        open_names_model(tmp_path / "missing")
    with pytest.raises(UserError, match="is no folder") as told:
        open_names_model("ada/names")
    assert "hub:ada/names" in told.value.hint
    with pytest.raises(UserError, match=r"it has no config\.json"):
        open_names_model(tmp_path)


def test_other_models(tmp_path):
    save(tmp_path / "others", labels=["O", "B-LOC"])
    with pytest.raises(UserError, match="its labels are O, B-LOC"):
        open_names_model(tmp_path / "others")
    model = save(tmp_path / "base")
    model.bert.save_pretrained(tmp_path / "base")
    with pytest.raises(UserError, match="is a BertModel, no token classifier"):
        open_names_model(tmp_path / "base")
    config = json.loads((tmp_path / "base" / "config.json").read_text())
    del config["architectures"]
    (tmp_path / "base" / "config.json").write_text(json.dumps(config))
    with pytest.raises(UserError, match=r"its weights lack classifier\.bias"):
        open_names_model(tmp_path / "base")
    save(tmp_path / "texts")
    transformers.BertForSequenceClassification(model.config).save_pretrained(tmp_path / "texts")
    with pytest.raises(UserError, match="is a BertForSequenceClassification, no token classifier"):
        open_names_model(tmp_path / "texts")


@pytest.mark.parametrize("damage", ["config", "weights", "shape", "pickle", "code", "tokenizer"])
def test_damaged_folders(tmp_path, damage):
    folder = tmp_path / "model"
    model = save(folder)
    config = json.loads((folder / "config.json").read_text())
    if damage == "config":
        (folder / "config.json").write_text("{")
    elif damage == "weights":
        (folder / "model.safetensors").write_bytes(b"\0" * 50)
    elif damage == "shape":
        (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 5, "num_attention_heads": 1}))
    elif damage == "pickle":  # opening one could run any program
        (folder / "model.safetensors").unlink()
        torch.save(model.state_dict(), folder / "pytorch_model.bin")
    elif damage == "tokenizer":
        (folder / "tokenizer.json").write_text("[]")
    else:
        config["auto_map"] = {"AutoModelForTokenClassification": "evil.Model", "AutoConfig": "evil.Config"}
        config["model_type"] = "evil"
        (folder / "config.json").write_text(json.dumps(config))
        (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    with pytest.raises(UserError, match="cannot be opened as a token classifier"):
        open_names_model(folder)
    assert not (tmp_path / "ran").exists()


def test_without_transformers(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(UserError, match="needs transformers") as told:
        open_names_model(folder, NamesModelSettings(batch=3))
    assert "starloom[train,models]" in told.value.hint


def test_the_mark_is_of_its_files(tmp_path):
    folder = tmp_path / "model"
    save(folder)
    before = mark(folder)
    assert re.fullmatch("[0-9a-f]{16}", before)
    (folder / "README.md").write_text("words")
    assert mark(folder) == before
    opened = open_names_model(folder)
    assert open_names_model(folder) is opened
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_act": "relu"}))
    assert mark(folder) != before
    assert open_names_model(folder) is not opened


# The Hub


def test_from_the_hub(folder, tmp_path, monkeypatch):
    asked = []

    def snapshot(repo_id, target, revision, patterns, kind):
        asked.append((repo_id, revision, kind))
        target.mkdir(parents=True)
        for pattern in patterns:
            for path in folder.glob(pattern):
                (target / path.name).write_bytes(path.read_bytes())
        (target / hub.RECORD).write_text(
            json.dumps({"repo_id": repo_id, "revision": "main", "commit": "a" * 40, "files": 4, "bytes": 5})
        )

    monkeypatch.setattr(hub, "snapshot", snapshot)
    assert mark("hub:ada/names@v1/x", tmp_path) == "" == mark("")
    assert asked == []
    for _ in range(2):
        assert spans(open_names_model("hub:ada/names@v1/x", fetched=tmp_path), "x Kim Byron") == [
            [("NAME", "Kim Byron")]
        ]
    assert mark("hub:ada/names@v1/x", tmp_path) == mark(folder)
    assert asked == [("ada/names", "v1/x", "model")]
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    fetch("hub:ada/names")
    assert (tmp_path / "cache" / "starloom" / "models" / "ada--names@main" / "config.json").is_file()


def test_what_the_hub_refuses(tmp_path, monkeypatch):
    def snapshot(*_, **__):
        raise hub.HubError("ada/names@main: gated", "ask for access")

    monkeypatch.setattr(hub, "snapshot", snapshot)
    with pytest.raises(UserError, match="ada/names@main: gated") as told:
        open_names_model("hub:ada/names", fetched=tmp_path)
    assert told.value.hint == "ask for access"
    for wrong in ("hub:ada", "hub:../x", "hub:ada/names@"):
        with pytest.raises(UserError, match="names no model on the Hub"):
            open_names_model(wrong, fetched=tmp_path)
