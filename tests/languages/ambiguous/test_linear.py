"""Rules of letters, pairs and twosomes end soon on texts made to slow them down."""

import pytest

from starloom.languages.ambiguous import letters, pairs, twosomes
from starloom.languages.ambiguous.rule import MAX_HEAD, settle

RULES = letters.RULES | pairs.RULES | twosomes.RULES

UNITS = (
    *"a1 \n\t\r(){}[]<>#%.;:,=-/\\'\"@$*",
    *(
        "a ",
        "a(",
        "a:",
        "((",
        " \n",
        "\t \n",
        "# ",
        "; ",
        "-- ",
        "(* ",
        "x=",
        "end ",
        ": ",
        "= ",
        ":=",
        "=>",
        "->",
        "//",
    ),
    *("a_", "a_A", "a b ", "a\n", "<!", "[]", "/*", "let a", "val a", "fun a", "int ", "int a", "takes ", "match "),
    *(
        "OrderSend(",
        "OrderSend(a,",
        "persistent ",
        "private ",
        "function a(",
        "\\\\ ",
        "λ ",
        "#!wolfram",
        "implement a",
    ),
    *("module ", "class a ", "G1 X", "%AA", "import a", "define_a ", "layout (", "#[]", '"openapi"', '{"info":{'),
)
HEADS = (  # what stands before the unit
    *(
        ": ",
        ": a",
        "\\ ",
        "(",
        "implement ",
        "takes a",
        "let ",
        "let re",
        "val ",
        "fun ",
        "int ",
        "persistent ",
        "match ",
    ),
    *("override ", "function a(", "\ufeff#!wolfram", '{\n "a"\n', "#", "%", "a_A", "OrderSend("),
)


@pytest.mark.parametrize("key", sorted(RULES))
def test_hostile_heads_end(key: str) -> None:
    """Where a pattern repeats overlapping classes, each takes seconds to minutes instead of milliseconds."""
    candidates = frozenset(rule.language for rule in RULES[key])
    for unit in UNITS:
        for text in (unit * MAX_HEAD, *(head + unit * MAX_HEAD for head in HEADS if len(unit) == 1)):
            rule = settle(key, text[:MAX_HEAD], candidates)
            assert rule is None or rule.language in candidates
