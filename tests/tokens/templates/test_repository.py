"""The document of a repository: golden ones, their rates, and that the files are in them whole."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.tokens.fill_in_the_middle import FimSettings
from starloom.tokens.special_tokens import REDACTED, SPECIAL_TOKENS
from starloom.tokens.templates.repository import File, Piece, document
from tokens.learning import family

FILES = [
    File("a.py", "id-a", "import b\nprint(b.x)\n"),
    File("b.py", "id-b", "x = 1\r\n"),
    File("c/d.txt", "id-d", ""),
]
NEVER = FimSettings(0.0, 0.0, 0.0)
ALWAYS = {"psm": FimSettings(1.0, 1.0, 0.0), "spm": FimSettings(1.0, 1.0, 1.0)}


def shown(pieces):
    return "".join(piece.text if piece.text is not None else SPECIAL_TOKENS[piece.special] for piece in pieces)


def first(settings, told, repo_name="r/R", files=FILES, **options):
    """The document with the first seed that tells, or does not tell, its metadata."""
    for seed in range(100):
        found = document(repo_name, files, seed, 0, settings, **options)
        if shown(found).startswith("<repo_name>") == told:
            return found
    raise AssertionError


def test_with_metadata():
    assert shown(first(NEVER, True)) == (
        "<repo_name>r/R<file_sep>a.py\nimport b\nprint(b.x)\n<file_sep>b.py\nx = 1\r\n<file_sep>c/d.txt\n<|endoftext|>"
    )


def test_without_metadata():
    assert shown(first(NEVER, False)) == "<file_sep>import b\nprint(b.x)\n<file_sep>x = 1\r\n<file_sep><|endoftext|>"


def test_cut():
    """An empty file has nothing to be cut."""
    assert shown(first(ALWAYS["psm"], True)) == (
        "<repo_name>r/R<file_sep><fim_prefix>a.py\nimport<fim_suffix>t(b.x)\n<fim_middle> b\nprin"
        "<file_sep><fim_prefix>b.py\nx = 1<fim_suffix>\r\n<fim_middle><file_sep>c/d.txt\n<|endoftext|>"
    )
    assert shown(first(ALWAYS["spm"], True)) == (
        "<repo_name>r/R<file_sep><fim_prefix><fim_suffix>t(b.x)\n<fim_middle>a.py\nimport b\nprin"
        "<file_sep><fim_prefix><fim_suffix>\r\n<fim_middle>b.py\nx = 1<file_sep>c/d.txt\n<|endoftext|>"
    )


def test_pieces():
    assert document("r", [FILES[0]], 0, 0, NEVER) == [
        Piece(None, 5, None),
        Piece("r", None, None),
        Piece(None, 6, None),
        Piece("a.py\nimport b\nprint(b.x)\n", None, "id-a"),
        Piece(None, 0, None),
    ]
    for piece in first(ALWAYS["psm"], True):
        assert (piece.text is None) != (piece.special is None)
        assert piece.text != ""
        if piece.special in (1, 2, 3):  # the markers of a file belong to it
            assert piece.content_id in {"id-a", "id-b"}


def restored(pieces):
    """{content id: text with its path, if told} of a document, from its markers; those of what is private are text."""
    found = {}
    for content_id, group in itertools.groupby((one for one in pieces if one.content_id), lambda one: one.content_id):
        parts = {"": ""}
        at = ""
        for piece in group:
            if piece.special is not None and SPECIAL_TOKENS[piece.special] not in REDACTED:
                at = SPECIAL_TOKENS[piece.special]
            else:
                parts[at] = parts.get(at, "") + shown([piece])
            parts.setdefault(at, "")
        order = ("", "<fim_prefix>", "<fim_middle>", "<fim_suffix>")
        found[content_id] = "".join(parts.get(name, "") for name in order)
    return found


NAME = st.text("abc/._é", min_size=1, max_size=8)
CONTENTS = st.lists(st.tuples(NAME, st.text("ab\r\n<é🙂", max_size=20)), max_size=5, unique_by=lambda file: file[0])


@given(CONTENTS, st.integers(0, 1000), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 1.0]))
def test_every_file_is_in_it_whole_and_once(contents, seed, variant, rate, spm_rate):
    files = [File(path, f"id {path}", content) for path, content in contents]
    pieces = document("name", files, seed, variant, FimSettings(1.0, rate, spm_rate))
    told = pieces[0].special == 5
    expected = {f"id {path}": (f"{path}\n" if told else "") + content for path, content in contents}
    found = restored(pieces)
    assert {key: text for key, text in found.items() if text} == {key: text for key, text in expected.items() if text}
    assert [piece.special for piece in pieces].count(6) == len(files)
    assert pieces[-1] == Piece(None, 0, None)
    assert document("name", files[::-1], seed, variant, FimSettings(1.0, rate, spm_rate)) == pieces


PRIVATE = File("a.py", "a", "# by <NAME> <NAME>\n# <EMAIL><KEY>", ((12, 18, 34), (21, 28, 35), (28, 33, 36)))


def test_a_marker_is_a_token_and_one_that_was_written_is_text():
    assert first(NEVER, False, files=[PRIVATE])[1:-1] == [
        Piece("# by <NAME> ", None, "a"),
        Piece(None, 34, "a"),
        Piece("\n# ", None, "a"),
        Piece(None, 35, "a"),
        Piece(None, 36, "a"),
    ]


@pytest.mark.parametrize("order", ["psm", "spm"])
def test_no_marker_is_cut(order):
    """Each of the 19 places outside the markers is drawn in a thousand, and each document has each marker once."""
    drawn = [document(f"r{number}", [PRIVATE], 0, 0, ALWAYS[order]) for number in range(1000)]
    for pieces in drawn:
        (text,) = restored(pieces).values()
        assert text in (PRIVATE.content, f"a.py\n{PRIVATE.content}")
        assert sorted(piece.special for piece in pieces if piece.special and piece.special > 33) == [34, 35, 36]
    suffixes = {shown(itertools.takewhile(lambda one: one.special not in (0, 2), after(pieces, 3))) for pieces in drawn}
    assert len(suffixes) == 1 + len(PRIVATE.content) - 5 - 6 - 4  # a place less for each character of a marker but one


def after(pieces, special):
    return itertools.islice(itertools.dropwhile(lambda one: one.special != special, pieces), 1, None)


def share(values):
    values = list(values)
    return sum(values) / len(values)


def test_rates():
    """By 2,000 names; four standard deviations are 0.045 at a rate of a half, 0.039 at a quarter."""
    files = [File("a.py", "a", "some text of a file"), File("b.py", "b", "some other text")]
    documents = [document(f"name {n}", files, 7, 0, FimSettings()) for n in range(2000)]
    assert share(pieces[0].special == 5 for pieces in documents) == pytest.approx(0.5, abs=0.045)
    foremost = [next(piece.content_id for piece in one if piece.content_id) for one in documents]
    assert share(name == "a" for name in foremost) == pytest.approx(0.5, abs=0.045)  # the order of files
    cut = {(n, p.content_id) for n, one in enumerate(documents) for p in one if p.special == 1}
    assert len(cut) / 4000 == pytest.approx(0.25, abs=0.039)
    assert len({n for n, _ in cut}) / 2000 == pytest.approx(0.375, abs=0.044)  # any file of it: 1/2 x (1 - 1/4)
    pairs = [(a.special, b.special) for one in documents for a, b in itertools.pairwise(one) if a.special == 1]
    assert share(pair == (1, 3) for pair in pairs) == pytest.approx(0.5 + 0.5 / 18, abs=0.075)  # SPM, or empty prefix


def test_seed_variant_and_name_matter():
    drawn = {
        shown(document(name, FILES, seed, variant, FimSettings()))
        for name, seed, variant in (
            ("r/R", 0, 0),
            ("r/R", 1, 0),
            ("r/R", 0, 1),
            ("r/R", 0, 2),
            ("r/Q", 0, 0),
            ("r/Q", 0, 1),
        )
    }
    assert len(drawn) > 2


# Tokenizers of other families


def texts(tokenizer, pieces):
    return "".join(
        piece.text if piece.text is not None else tokenizer.token_bytes(piece.special).decode() for piece in pieces
    )


def test_as_qwen_lays_it_out():
    tokens = ("fim_prefix", "fim_middle", "fim_suffix", "fim_pad", "repo_name", "file_sep")
    qwen = family("<|endoftext|>", *(f"<|{token}|>" for token in tokens))
    drawn = [
        texts(qwen, document("r/R", FILES[1:2], seed, 0, ALWAYS["psm"], qwen.markers, qwen.end_of_text))
        for seed in range(8)
    ]
    told = next(one for one in drawn if "<|repo_name|>" in one)
    assert told.startswith("<|repo_name|>r/R\n<|file_sep|>b.py\n<|fim_prefix|>")
    assert told.endswith("<|endoftext|>")
    assert next(one for one in drawn if "<|repo_name|>" not in one).startswith("<|file_sep|><|fim_prefix|>")


def test_a_family_that_shows_the_suffix_first_always_does():
    seed_coder = family("<[end▁of▁sentence]>", "<[fim-suffix]>", "<[fim-prefix]>", "<[fim-middle]>")
    found = texts(
        seed_coder,
        document("r", FILES[:2], 0, 0, ALWAYS["psm"], seed_coder.markers, seed_coder.end_of_text),
    )
    one, two, rest = found.split("<[end▁of▁sentence]>")  # it has no token between files
    assert rest == ""
    for text in (one, two):
        assert text.startswith("<[fim-suffix]>")
        assert text.index("<[fim-prefix]>") < text.index("<[fim-middle]>")


def test_without_markers_nothing_is_cut():
    plain = family("</s>")
    found = document("r", FILES[:2], 0, 0, ALWAYS["psm"], None, plain.end_of_text)
    assert texts(plain, found) in {
        "import b\nprint(b.x)\n</s>x = 1\r\n</s>",
        "x = 1\r\n</s>import b\nprint(b.x)\n</s>",
    }
