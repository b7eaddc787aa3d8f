"""How texts use a vocabulary, and which of its tokens are private: beside a count by hand."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.finding import KINDS
from starloom.tokens.sampling import Text
from starloom.tokens.special_tokens import SPECIAL_IDS
from starloom.tokens.token_use import TokenUse, private_by_looks
from tokens.learning import family, opened, ours, table

MAIL = "ada" + "@" + "analytical-engines.dev"
NOTICE = "// Copyright (c) 1843-52 Ada Lovelaceski, Menabrea Sketchfield\nint main;\n"


def counted(tokenizer, *texts):
    """Counts of batches of (repository, parts)."""
    use = TokenUse(tokenizer)
    for repo_name, *parts in texts:
        use.add([Text(repo_name, "C", tuple(parts))])
    use.finish()
    return use


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text("ab é\n1", max_size=20)), max_size=12))
def test_uses_and_repositories(some):
    some = sorted(some)  # as in a dataset: by repository
    use = counted(ours(), *some)
    uses, repositories = Counter(), Counter()
    for name in "abc":
        here = Counter(number for repo_name, text in some if repo_name == name for number in ours().encode(text))
        uses += here
        repositories.update(here.keys())
    assert {number: int(use.uses[number]) for number in use.uses.nonzero()[0].tolist()} == uses
    assert {number: int(use.repositories[number]) for number in use.uses.nonzero()[0].tolist()} == repositories
    assert (use.files, use.tokens) == (len(some), uses.total())
    assert use.bytes == sum(len(text.encode()) for _, text in some)
    assert use.all_repositories == len({name for name, _ in some})
    assert not use.private.any()


def test_markers_count_for_nothing():
    use = counted(ours(), ("a", "x = ", SPECIAL_IDS["<KEY>"], "\n"), ("a", SPECIAL_IDS["<KEY>"]))
    assert use.uses[SPECIAL_IDS["<KEY>"]] == 0
    assert (use.files, use.bytes) == (2, 5)


def within(text, tokenizer=None):
    """The bytes of the tokens that stand in something private, by kind."""
    tokenizer = tokenizer or ours()
    use = counted(tokenizer, ("a", text))
    return {
        kind: b" ".join(sorted(tokenizer.token_bytes(number) * use.private[row, number] for number in numbers))
        for row, kind in enumerate(KINDS)
        if len(numbers := use.private[row].nonzero()[0])
    }


def test_tokens_within_what_is_private():
    """Here every byte is a token. é before a name: places in bytes and in characters differ."""
    bytewise = family("<|endoftext|>")

    def spelled(text):
        count = Counter(text.encode())
        return b" ".join(sorted(bytes([byte]) * number for byte, number in count.items()))

    assert within(f"é x = 1\nmail {MAIL}, 1\n", bytewise) == {"EMAIL": spelled(MAIL)}
    assert within("é" + NOTICE, bytewise) == {"NAME": spelled("Ada LovelaceskiMenabrea Sketchfield")}
    assert within("İ" + NOTICE.upper().replace("ADA LOVELACESKI", "Ada Lovelaceski"), bytewise)["NAME"]
    assert within("copyright 2001 The Regents\nCopyright\ncopyright", bytewise) == {}


def test_private_by_use():
    """Tokens of which at least half the uses, and 8, are within what is private."""
    tokenizer = ours()
    line = f"# {MAIL}\n"
    found = counted(tokenizer, *[("a", line)] * 9).private_by_use()
    assert {kind for _, kind, _ in found} == {"EMAIL"}
    assert all(uses % 9 == 0 for _, _, uses in found)
    assert {number for number, _, _ in found} <= set(tokenizer.encode(line))
    (at,) = tokenizer.encode("@")
    assert (at, "EMAIL", 9) in found
    elsewhere = [("b", "@@@")] * 3
    assert (at, "EMAIL", 9) in counted(tokenizer, *[("a", line)] * 9, *elsewhere).private_by_use()
    assert at not in dict.fromkeys(
        number for number, _, _ in counted(tokenizer, *[("a", line)] * 9, *elsewhere, ("c", "@")).private_by_use()
    )
    assert at not in [number for number, _, _ in counted(tokenizer, *[("a", line)] * 7).private_by_use()]


def test_a_tokenizer_that_is_not_byte_for_byte_tells_no_places():
    changed = table()
    changed["normalizer"] = {"type": "Lowercase"}
    changed["pre_tokenizer"]["pretokenizers"].insert(0, {"type": "WhitespaceSplit"})
    tokenizer = opened(changed)
    use = counted(tokenizer, *[("a", f"mail {MAIL}\n")] * 20)
    assert use.tokens
    assert not use.private.any()


def test_private_by_looks():
    changed = table()
    words = [
        MAIL,
        "ĠAKIA" + "IOSFODNN7QWERTYP",
        "Ġ" + "qhievofjucdnmbpxazrlktwsgy",
        "Ġinternationalisation",
        "Ġexample.com",
    ]
    changed["model"]["vocab"] |= {word: 1000 + number for number, word in enumerate(words)}
    found = private_by_looks(opened(changed))
    assert found == [(1000, "EMAIL"), (1001, "KEY"), (1002, "KEY")]
    assert private_by_looks(ours()) == []
    assert private_by_looks(family("<|endoftext|>", f"<{MAIL}>", special=True)) == []  # a special token is no word


def test_nothing():
    use = counted(ours())
    assert (use.files, use.tokens, use.all_repositories) == (0, 0, 0)
    assert use.private_by_use() == []
