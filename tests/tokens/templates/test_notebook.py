"""The documents of notebooks: golden ones, and that redactions are tokens in them."""

import pytest

from starloom.documents.sections import joined
from starloom.errors import UserError
from starloom.tokens.special_tokens import SPECIAL_IDS, SPECIAL_TOKENS
from starloom.tokens.templates.notebook import DOCUMENTS, check, script, structured
from starloom.tokens.templates.repository import File


def shown(pieces):
    return "".join(piece.text if piece.text is not None else SPECIAL_TOKENS[piece.special] for piece in pieces)


def test_a_script():
    assert (
        shown(script(File("a.ipynb", "id", "# A sum\n\n1 + 1\n"))) == "<jupyter_script># A sum\n\n1 + 1\n<|endoftext|>"
    )


def test_text_code_and_output():
    parts = [("text", "A sum"), ("code", "1 + 1"), ("output", "2"), ("code", "x = 1"), ("output", "")]
    found = structured(File("a.ipynb", "id", joined(parts)))
    assert shown(found) == (
        "<jupyter_start><jupyter_text>A sum<jupyter_code>1 + 1<jupyter_output>2"
        "<jupyter_code>x = 1<jupyter_output><empty_output><|endoftext|>"
    )
    assert [one.special for one in found if one.special is not None] == [10, 11, 12, 13, 12, 13, 15, 0]


def test_a_tokenizer_without_their_tokens():
    check(DOCUMENTS, SPECIAL_IDS)
    for token, kind in (("<jupyter_script>", "notebook-scripts"), ("<empty_output>", "notebook-structured")):
        with pytest.raises(UserError, match=f"no token {token}"):
            check([kind], {one: number for one, number in SPECIAL_IDS.items() if one != token})


def test_what_was_replaced_is_a_token():
    content = joined([("text", "by <EMAIL>"), ("code", "a = '<EMAIL>'"), ("output", "")])
    first = content.index("<EMAIL>")
    found = structured(File("a.ipynb", "id", content, ((first, first + 7, SPECIAL_IDS["<EMAIL>"]),)))
    assert [one.special for one in found if one.special is not None] == [10, 11, 35, 12, 13, 15, 0]
    assert [one.text for one in found if one.text is not None] == ["by ", "a = '<EMAIL>'"]
