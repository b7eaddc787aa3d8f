"""The document of a repository: golden ones, their rates, and that the files are in them whole."""

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.languages.syntax.middles import Middles
from starloom.tokens.fill_in_the_middle import FimSettings
from starloom.tokens.special_tokens import REDACTED, SPECIAL_TOKENS
from starloom.tokens.templates.repository import File, Piece, document, file_order
from starloom.tokens.templates.seen import Seen
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
        Piece(None, 5, -1),
        Piece("r", None, -1),
        Piece(None, 6, 0),
        Piece("a.py\nimport b\nprint(b.x)\n", None, 0),
        Piece(None, 0, -1),
    ]
    for piece in first(ALWAYS["psm"], True):
        assert (piece.text is None) != (piece.special is None)
        assert piece.text != ""
        if piece.special in (1, 2, 3):  # the markers of a file belong to it
            assert piece.file in {0, 1}
        if piece.special == 6:  # as does what tells it from the one before
            assert piece.file >= 0


def is_of_file(piece, *numbers):
    """Whether it is of a file, or of one of these, and more than what tells it from the one before."""
    return piece.special not in (0, 6) and (piece.file in numbers if numbers else piece.file >= 0)


def restored(pieces):
    """{file: text with its path, if told} of a document, from its markers; those of what is private are text."""
    found = {}
    for file, group in itertools.groupby((one for one in pieces if is_of_file(one)), lambda one: one.file):
        parts = {"": ""}
        at = ""
        for piece in group:
            if piece.special is not None and SPECIAL_TOKENS[piece.special] not in REDACTED:
                at = SPECIAL_TOKENS[piece.special]
            else:
                parts[at] = parts.get(at, "") + shown([piece])
            parts.setdefault(at, "")
        order = ("", "<fim_prefix>", "<fim_middle>", "<fim_suffix>")
        found[file] = "".join(parts.get(name, "") for name in order)
    return found


NAME = st.text("abc/._é", min_size=1, max_size=8)
CONTENTS = st.lists(st.tuples(NAME, st.text("ab\r\n<é🙂", max_size=20)), max_size=5, unique_by=lambda file: file[0])


@given(CONTENTS, st.integers(0, 1000), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0]), st.sampled_from([0.0, 1.0]))
def test_every_file_is_in_it_whole_and_once(contents, seed, variant, rate, spm_rate):
    files = [File(path, f"id {path}", content) for path, content in contents]
    pieces = document("name", files, seed, variant, FimSettings(1.0, rate, spm_rate))
    told = pieces[0].special == 5
    expected = {n: (f"{path}\n" if told else "") + content for n, (path, content) in enumerate(contents)}
    found = restored(pieces)
    assert {key: text for key, text in found.items() if text} == {key: text for key, text in expected.items() if text}
    assert [piece.special for piece in pieces].count(6) == len(files)
    assert pieces[-1] == Piece(None, 0, -1)
    other_way = document("name", files[::-1], seed, variant, FimSettings(1.0, rate, spm_rate))
    assert [one[:2] for one in other_way] == [one[:2] for one in pieces]


PRIVATE = File("a.py", "a", "# by <NAME> <NAME>\n# <EMAIL><KEY>", ((12, 18, 34), (21, 28, 35), (28, 33, 36)))


def test_a_marker_is_a_token_and_one_that_was_written_is_text():
    assert first(NEVER, False, files=[PRIVATE])[1:-1] == [
        Piece("# by <NAME> ", None, 0),
        Piece(None, 34, 0),
        Piece("\n# ", None, 0),
        Piece(None, 35, 0),
        Piece(None, 36, 0),
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


LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLM"  # 39, and so 40 places


@pytest.mark.parametrize("rates", [(0.5, 0.5, 0.5), (0.8, 0.25, 0.1)], ids=["paper", "other"])
def test_rates(rates):
    """Of 4,000 repositories of two files: metadata, order, which repositories and files are cut, and how; and where."""
    repository, file, spm = rates
    files = [File("a.py", "a", LETTERS), File("b.py", "b", LETTERS)]
    found, starts, stops, seen = Counter(), Counter(), Counter(), Seen()
    for number in range(4000):
        pieces = document(f"name {number}", files, 7, 0, FimSettings(*rates), seen=seen)
        kinds = []
        for name in (0, 1):
            own = [piece for piece in pieces if is_of_file(piece, name)]
            kinds.append("none" if len(own) == 1 else "spm" if own[1].special == 3 else "psm")
            if kinds[-1] == "psm" and own[1].text.startswith(("a.py", "b.py")):
                prefix = len(own[1].text) - 5
                starts[prefix] += 1
                stops[prefix + len(restored_middle(own))] += 1
        found[pieces[0].special == 5, next(one.file for one in pieces if one.file >= 0), *kinds] += 1
    shares = {}
    for told, first in itertools.product((True, False), (0, 1)):
        empty = 0.0 if told else 1 - (39 / 40) ** 2  # of the prefixes: then both orders look alike
        likely = {"none": 1 - file, "psm": file * (1 - spm) * (1 - empty), "spm": file * (spm + (1 - spm) * empty)}
        for one, two in itertools.product(likely, repeat=2):
            untouched = (one, two) == ("none", "none")
            shares[told, first, one, two] = (
                repository * likely[one] * likely[two] / 4 + untouched * (1 - repository) / 4
            )
    assert_likely(found, shares)
    assert_likely(starts, {place: (2 * (39 - place) + 1) / 1600 for place in range(40)})
    assert_likely(stops, {place: (2 * place + 1) / 1600 for place in range(40)})
    assert (seen.documents, seen.files) == (4000, 8000)
    assert seen.with_metadata == sum(count for (told, *_), count in found.items() if told)
    assert seen.cut == sum(count * (2 - kinds.count("none")) for (_, _, *kinds), count in found.items())
    assert seen.suffix_first / seen.cut == pytest.approx(spm, abs=0.06)


def restored_middle(pieces):
    return "".join(one.text for one in itertools.dropwhile(lambda one: one.special != 2, pieces) if one.text)


def assert_likely(counts, shares):
    """By a chi-square test of how often each thing happened: worse comes once in a thousand times."""
    total = sum(counts.values())
    assert set(counts) <= set(shares)
    statistic = sum((counts[key] - total * share) ** 2 / (total * share) for key, share in shares.items())
    free = len(shares) - 1
    assert statistic < free * (1 - 2 / (9 * free) + 3.09 * (2 / (9 * free)) ** 0.5) ** 3  # Wilson and Hilferty


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


@given(CONTENTS, st.integers(0, 1000), st.integers(0, 5), st.booleans())
def test_laid_out_in_parts_it_is_the_same(contents, seed, where, own):
    """By tokenizers with and without tokens of their own between files."""
    files = [File(path, f"id {path}", content) for path, content in contents]
    options = {} if own else {"markers": None, "end_of_text": 99}
    order = file_order("name", [path for path, _ in contents], seed, 1)
    parts = order[:where], order[where:]
    whole, seen = Seen(), Seen()
    expected = document("name", files, seed, 1, FimSettings(), seen=whole, **options)
    found = [
        piece
        for first, numbers in enumerate(parts)
        for piece in document(
            *("name", [files[number] for number in numbers], seed, 1, FimSettings()),
            **options,
            order=range(len(numbers)),
            seen=seen,
            begins=not first if parts[0] else True,
            ends=bool(first),
        )
        if parts[0] or first
    ]
    assert [one[:2] for one in found] == [one[:2] for one in expected]
    assert (seen.files, seen.cut, seen.suffix_first) == (whole.files, whole.cut, whole.suffix_first)


def test_another_order():
    for variant in range(4):
        pieces = document("r", FILES, 0, variant, NEVER, order=[2, 0, 1])
        assert [one.file for one in pieces if one.special == 6] == [2, 0, 1]


# Middles that are pieces of syntax

SYNTAX = FimSettings(1.0, 1.0, 0.0, 1.0)


def middles(asked):
    """The second line of each text, and nothing of an empty language; stands for languages/syntax/middles."""
    assert all(0 <= number < 1 << 64 for _, _, number in asked)
    return [None if "?" in text else (text.index("\n") + 1, text.index("\n", 3)) for _, text, _ in asked]


def test_a_middle_that_is_a_piece_of_syntax():
    seen = Seen()
    files = [
        File("a.py", "a", "a\nbb\nc\n", (), "Python"),
        File("b.py", "b", "a?\nbb\n", (), "Python"),
        File("c.txt", "c", "a\nbb\n", (), "Text"),
        File("d.py", "d", "", (), "Python"),
    ]
    pieces = document("r", files, 0, 0, SYNTAX, order=range(4), middles=middles, seen=seen)
    assert restored_middle(one for one in pieces if one.file == 0) == "bb"
    assert restored(pieces)[0].endswith("a\nbb\nc\n")
    assert (seen.cut, seen.syntax, seen.no_grammar, seen.not_parsed) == (3, 1, 1, 1)
    without = document("r", files, 0, 0, FimSettings(1.0, 1.0, 0.0), order=range(4))
    fallen_back = [[one for one in found if is_of_file(one, 1, 2)] for found in (pieces, without)]
    assert fallen_back[0] == fallen_back[1]  # the places that are drawn in characters are the same


def test_no_piece_of_syntax_cuts_a_marker_or_a_line_end():
    private = File("a.py", "a", "# <NAME>\r\nb", ((2, 8, 34),), "Python")
    pieces = document("r", [private], 0, 0, SYNTAX, middles=lambda asked: [(4, 9)])
    assert restored_middle(pieces) == ""  # "<NAME>", as a token
    assert [one.special for one in pieces if one.special in (2, 34)] == [2, 34]
    assert restored(pieces)[0].endswith(private.content)


CODE = [
    ("a.py", "Python", "import b\r\n\r\ndef f(x):\r\n    # by <NAME>\r\n    return [x, 'é🙂']\r\n"),
    ("a.c", "C", "/* <EMAIL> */\nint f(int a) {\n  return a * 2;\n}\n"),
    ("a.json", "JSON", '{"a": [1, {"b": "<KEY>"}]}'),
    ("a.txt", "Text", "no grammar\n"),
    ("a.yaml", "YAML", "a:\n  - b\n  - c: d\n"),
]


def test_real_syntax():
    """A hundred variants of each: whole again, nothing cut that may not be, and middles that are something."""
    pytest.importorskip("tree_sitter_language_pack")
    files = []
    for path, language, text in CODE:
        marked = tuple(
            (text.index(one), text.index(one) + len(one), 34 + n) for n, one in enumerate(REDACTED) if one in text
        )
        files.append(File(path, path, text, marked, language))
    found, seen = {}, Seen()
    with Middles() as drawn:
        for variant in range(100):
            pieces = document("r", files, 0, variant, FimSettings(1.0, 1.0, 0.0, 1.0), middles=drawn, seen=seen)
            told = pieces[0].special == 5
            for number, text in restored(pieces).items():
                assert text == (f"{files[number].path}\n" if told else "") + files[number].content
                own = [one for one in pieces if is_of_file(one, number)]
                found.setdefault(number, set()).add(restored_middle(own))
                for one, other in itertools.pairwise(own):
                    assert not ((one.text or "").endswith("\r") and (other.text or "").startswith("\n"))
    assert (seen.cut, seen.syntax, seen.no_grammar, seen.not_parsed) == (500, 400, 100, 0)
    assert {"b", "[x, 'é🙂']", "f(x)"} & found[0]
    assert {"{\n  return a * 2;\n}", "a * 2", "return a * 2;", "int a"} & found[1]
    assert {'{"b": ', "1", '"a"'} & found[2]
    assert {"- b\n  - c: d", "- c: d", "c: d"} & found[4]


def test_the_share_of_pieces_of_syntax():
    seen = Seen()
    files = [File(f"{n}.py", "a", "a\nbb\nc\n", (), "Python") for n in range(2000)]
    document("r", files, 0, 0, FimSettings(1.0, 0.5, 0.5, 0.3), middles=middles, seen=seen)
    assert_likely(
        Counter({"syntax": seen.syntax, "characters": seen.cut - seen.syntax}), {"syntax": 0.3, "characters": 0.7}
    )


def test_counts_add_up():
    one, other = Seen(documents=1, cut=2, not_parsed=3), Seen(documents=10, files=20)
    assert one + other == Seen(documents=11, files=20, cut=2, not_parsed=3)


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
