"""Markers in a text: known by their place, and tokens where the tokenizer has one."""

import doctest

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from starloom.privacy.finding import Finding
from starloom.privacy.replace import RedactSettings, SourceRedaction, replaced
from starloom.the_stack import tables
from starloom.tokens import redacted, sampling
from starloom.tokens.redacted import joined, markers, noted, parts
from starloom.tokens.special_tokens import SPECIAL_IDS
from tokens.learning import family, ours

PIECES = st.lists(
    st.one_of(st.text("<EMAIL>_ &\r\né🙂", max_size=8), st.sampled_from(["EMAIL", "KEY", "PASSWORD", "NAME"]))
)


def laid_out(pieces, language=""):
    """(content, redactions) of pieces, of which those that name a kind are private; what comes out of `replaced`."""
    text, findings = "", []
    for piece in pieces:
        if piece in ("EMAIL", "KEY", "PASSWORD", "NAME"):
            findings.append(Finding(len(text), len(text) + 3, piece, "test", 1.0))
            piece = "???"
        text += piece
    content, redactions = replaced(text, findings, RedactSettings(), language)
    return content, [one._asdict() for one in redactions]


@given(PIECES, st.sampled_from(["", "XML", "Shell"]))
def test_every_marker_is_its_token_and_all_else_is_text(pieces, language):
    content, redactions = laid_out(pieces, language)
    found = parts(content, markers(content, redactions, SPECIAL_IDS))
    expected = joined(
        [SPECIAL_IDS[f"<{one}>"] if one in ("EMAIL", "KEY", "PASSWORD", "NAME") else one for one in pieces]
    )
    assert found == expected
    assert ours().encode_parts([found]) == [
        [number for one in found for number in ([one] if isinstance(one, int) else ours().encode(one))]
    ]


@given(PIECES, st.data())
def test_a_part_of_it(pieces, data):
    content, redactions = laid_out(pieces)
    found = markers(content, redactions, SPECIAL_IDS)
    places = [at for at in range(len(content) + 1) if not any(start < at < end for start, end, _ in found)]
    first, second = sorted(data.draw(st.tuples(st.sampled_from(places), st.sampled_from(places))))
    whole = parts(content, found)
    assert (
        joined(
            (*parts(content, found, 0, first), *parts(content, found, first, second), *parts(content, found, second))
        )
        == whole
    )


@pytest.mark.parametrize(
    ("content", "kind", "tokens", "expected"),
    [
        ("<EMAIL>", "EMAIL", {"<EMAIL>": 7}, ((0, 7, 7),)),
        ("&lt;EMAIL&gt;", "EMAIL", {"<EMAIL>": 7}, ((0, 13, 7),)),
        ("__EMAIL__", "EMAIL", {"<EMAIL>": 7}, ((0, 9, 7),)),
        ("<EMAIL>", "EMAIL", {"<KEY>": 7}, ()),
        ("10.1.2.3", "IP_ADDRESS", {"<EMAIL>": 7}, ()),
        ("ada.12345678@example.com", "EMAIL", {"<EMAIL>": 7}, ()),  # an invented one
    ],
    ids=["plain", "markup", "shell", "no-token", "address", "invented"],
)
def test_markers(content, kind, tokens, expected):
    assert markers(content, [{"start": 0, "end": len(content), "kind": kind}], tokens) == expected


def test_what_was_noted():
    some = [{"start": 1, "end": 8, "kind": "KEY"}]
    rows = pa.table(
        [pa.array(["a", "b", "c"]), pa.array([some, [], None], tables.REDACTIONS)], ["content", "redactions"]
    )
    assert noted(rows) == [some, (), ()]
    assert noted(rows.select(["content"])) == [(), (), ()]


def test_invented_values_are_text():
    settings = RedactSettings("a key of no importance", SourceRedaction(replace="synthetic"))
    content, redactions = replaced("by ???", [Finding(3, 6, "NAME", "test", 1.0)], settings)
    assert markers(content, [one._asdict() for one in redactions], SPECIAL_IDS) == ()


def test_the_tokens_of_a_tokenizer():
    assert ours().marked == {one: SPECIAL_IDS[one] for one in ("<NAME>", "<EMAIL>", "<KEY>", "<PASSWORD>")}
    assert family("<|endoftext|>", "<EMAIL>").marked == {"<EMAIL>": 257}


def test_examples():
    assert doctest.testmod(redacted).failed == 0


# The tokenizer that is trained


def test_a_marker_is_not_learnt(tmp_path):
    """What stands around it is; a dataset of thousands of markers gives no token that spells one."""
    from the_stack import building

    mail = "ada" + "@" + "analytical-engines.dev"
    files = {f"{n}.py": "".join(f"# {mail} {n} {k}\n" for k in range(99)).encode() + building.code(n) for n in range(9)}
    extra = building.ENGINE + "\n[tokenizer]\nvocabulary = 400\n[decide]\nheld_out = 0.0\nnear_duplicates = 0.0\n"
    made = building.Workspace(tmp_path / "w", building.folder(tmp_path / "r", files), extra=extra).build()
    assert sum(len(row["redactions"]) for row in made.dataset()) == 9 * 99
    files = sampling.files_of(tables.dataset(made.root, "files", "train"), 0)
    everything = sampling.draw(files, sampling.by_share(files, 10**9), 0)
    texts = [part for batch in sampling.read(files, everything, SPECIAL_IDS) for text in batch for part in text.parts]
    assert texts.count(SPECIAL_IDS["<EMAIL>"]) == 9 * 99
    assert not any("EMAIL" in one for one in texts if isinstance(one, str))
