"""A judge of queries apart from the one that search has: what each means on a row, by `re` and `in`; queries made by
chance, each with its judge; and rows to ask them of."""

import random
import re
from collections import Counter
from dataclasses import dataclass
from functools import cache, partial
from itertools import pairwise

from search.conftest import row

# What a query means, written a second time


@cache
def low(text):
    return "".join(c.lower() if len(c.lower()) == 1 and c.lower().isascii() == c.isascii() else c for c in text)


def is_border(name, at):
    a, b, following = name[at - 1], name[at], name[at + 1 : at + 2]
    if "_" in (a, b):
        return True
    return b.isupper() and (a.islower() or a.isdigit() or (a.isupper() and following.islower()))


@cache
def words(text):
    """Whole identifiers, and parts of those that are no data."""
    found = set()
    for name in re.findall("[0-9A-Za-z_]+", text):
        found.add(name)
        if len(name) < 100:
            cuts = [0, *(at for at in range(1, len(name)) if is_border(name, at)), len(name)]
            found |= {name[start:end].strip("_") for start, end in pairwise(cuts)} - {""}
    return found


@cache
def low_words(text):
    return set(map(low, words(text)))


def exactly(text, case):
    """Whether a term is to be taken as it is written."""
    return case == "yes" or (case == "auto" and text != low(text))


def is_word(word, one, case):
    return word in words(one["content"]) if exactly(word, case) else low(word) in low_words(one["content"])


def is_piece(piece, text, case):
    return piece in text if exactly(piece, case) else low(piece) in low(text)


@cache
def expression(source):
    return re.compile(source, re.MULTILINE | re.ASCII)


def is_pattern(source, text, case):
    """Of patterns whose escapes are of small letters and marks alone."""
    if exactly(re.sub(r"\\.", "", source, flags=re.DOTALL), case):
        return bool(expression(source).search(text))
    return bool(expression(low(source)).search(low(text)))


def is_symbol(name, one, case):
    return name in one["symbols"] if exactly(name, case) else low(name) in map(low, one["symbols"])


def of_file(one):
    return one["path"].split("/")[-1]


# Queries by chance


@dataclass(frozen=True)
class Asked:
    """Text of a query, and whether it holds of a row, with what `case:` says. `binds`: 0 or, 1 and, 2 a term."""

    text: str
    holds: object  # (row, case) → bool
    binds: int
    kinds: tuple[str, ...]


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def a_query(dice, corpus):
    """(text, whether it holds of a row, kinds of its terms)."""
    asked = a_node(dice, corpus, 0)
    case = dice.choice(["auto"] * 5 + ["yes", "no"])
    text = asked.text
    if case != "auto" or dice.random() < 0.1:
        text = dice.choice([f"{text} case:{case}", f"case:{case} {text}"])
    return text, lambda one: asked.holds(one, case), (*asked.kinds, f"case:{case}")


def a_node(dice, corpus, depth):
    chance = dice.random()
    if depth > 2 or chance < 0.45:
        return a_term(dice, corpus)
    if chance < 0.6:
        inner = wrapped(a_node(dice, corpus, depth + 1), 2)
        text = inner.text
        if text.startswith("-") or not (text[0].isalnum() or text[0] in '_"(/'):
            return inner  # `--x` and `-.` are text
        return Asked(f"-{text}", lambda one, case: not inner.holds(one, case), 2, ("-", *inner.kinds))
    some = chance < 0.8
    parts = [wrapped(a_node(dice, corpus, depth + 1), 1 if some else 2, dice) for _ in range(dice.randint(2, 3))]
    every = any if some else all
    return Asked(
        (dice.choice([" or ", " OR "]) if some else dice.choice([" ", "  "])).join(part.text for part in parts),
        lambda one, case: every(part.holds(one, case) for part in parts),
        0 if some else 1,
        ("or" if some else "and", *(kind for part in parts for kind in part.kinds)),
    )


def wrapped(asked, least, dice=None):
    """In parentheses where it binds less than `least`, or by chance."""
    if asked.binds >= least and not (dice and dice.random() < 0.1):
        return asked
    return Asked(f"({asked.text})", asked.holds, 2, ("()", *asked.kinds))


def a_term(dice, corpus):
    kind = dice.choice(
        [
            "word",
            "word",
            "quoted",
            "quoted",
            "bare",
            "pattern",
            "pattern",
            "lang",
            "license",
            "sym",
            "repo",
            "path",
            "file",
        ]
    )
    text, holds = globals()[f"a_{kind}"](dice, corpus) if kind not in NAMED else a_name(dice, corpus, kind)
    return Asked(text, holds, 2, (kind,))


def a_word(dice, corpus):
    known = sorted(words(dice.choice(corpus)["content"])) or ["x"]
    word = dice.choice([dice.choice(known), dice.choice(known), "".join(dice.choices("abqQ_1", k=dice.randint(1, 3)))])
    word = dice.choice([word, word, word.lower(), word.upper(), word[:-1] or word])
    return word if word not in ("or", "OR") else "x1", partial(is_word, word if word not in ("or", "OR") else "x1")


def a_piece(dice, text):
    start = dice.randrange(max(len(text), 1))
    piece = text[start : start + dice.choice([1, 2, 3, 4, 6, 9, 30, 150])] or "a"
    return dice.choice([piece, piece, piece, piece.lower(), piece.upper(), piece + dice.choice("ab .")])


def a_quoted(dice, corpus):
    piece = a_piece(dice, dice.choice(corpus)["content"])
    return quoted(piece), lambda one, case: is_piece(piece, one["content"], case)


def a_bare(dice, corpus):
    piece = dice.choice(
        ["->", "naïve", "ab.a", "über", "Über", "排序", "😀", ".", "排", "İx", "a->", "İ", "Σας", "x1.", "==", "f()"]
    )
    return piece, lambda one, case: is_piece(piece, one["content"], case)


def escape(character):
    return character if character.isalnum() or character == "_" or not character.isascii() else "\\" + character


def a_source(dice, text):
    """A pattern that is often found in `text`."""
    piece = "".join(c for c in a_piece(dice, text) if c not in "\0\\")[:40] or "a"
    escaped = list(map(escape, piece))
    for at in dice.sample(range(len(escaped)), min(dice.randint(0, 2), len(escaped))):
        one = escaped[at] or "a"
        escaped[at] = dice.choice([".", r"\w", "[a-z]", "[^a]", r"[\w.]", one + "?", one + "+", one + "{1,2}", ".*",
                                   f"({one}|zz)", r"\s", r"\d", f"(?:{one})*", r"\s*", r"[^\w]", r"[^\w]*", r"\n",
                                   r"[^;\n]+", r"[^a]*", r"[\s)]*", rf"{one}\b", rf"\b{one}"
                                   ])  # fmt: skip
        if at and dice.random() < 0.1:
            escaped[at - 1 : at + 1] = "", f"(?:.{one})*"  # what was before it too
    source = "".join(escaped)
    return dice.choice([source, source, source, "^" + source, source + "$", rf"\b{source}", rf"({source}|a_b)",
                        rf"{source}(?:.|\n)*a", rf"\b{source}\b", rf"{source}\b\s*\(", rf"{source}[^\w]*a\w*",
                        rf"{source}[^(]*\b(?:self|x1)\b", rf"\s+{source}\s+", rf"[^\w]{source}[^a-z0-9_]"
                        ])  # fmt: skip


def a_pattern(dice, corpus):
    source = a_source(dice, dice.choice(corpus)["content"])
    return f"/{source}/", lambda one, case: is_pattern(source, one["content"], case)


def a_lang(dice, corpus):
    name = dice.choice(["Python", "C", "C++", "Jupyter Notebook", "Rust"])
    return f"lang:{quoted(dice.choice([name, name.lower()]))}", lambda one, case: one["language"] == name


def a_license(dice, corpus):
    asked, found = dice.choice([
        ("permissive", None), ("MIT", {"MIT", "MIT OR Apache-2.0", "MIT AND Zlib"}), ("zlib", {"MIT AND Zlib"}),
        ('"mit or Apache-2.0"', {"MIT OR Apache-2.0"}), ("GPL-3.0-only", set()), ('"Zlib AND MIT"', set()),
    ])  # fmt: skip
    if found is None:
        return f"license:{asked}", lambda one, case: one["license_type"] == asked
    return f"license:{asked}", lambda one, case: bool(found & set(one["detected_licenses"]))


def a_sym(dice, corpus):
    name = dice.choice([name for one in corpus for name in one["symbols"]] or ["x"])
    if dice.random() < 0.3:
        start = dice.randrange(len(name))
        source = dice.choice(["^", ""]) + "".join(map(escape, name[start : start + 3]))
        return f"sym:/{source}/", lambda one, case: any(is_pattern(source, symbol, case) for symbol in one["symbols"])
    name = dice.choice([name, name, name.lower(), name.upper(), name[:-1] or name])
    return f"sym:{quoted(name)}", lambda one, case: is_symbol(name, one, case)


NAMED = {"repo": lambda one: one["repo_name"], "path": lambda one: one["path"], "file": of_file}


def a_name(dice, corpus, kind):
    name = NAMED[kind]
    whole = name(dice.choice(corpus))
    start = dice.randrange(len(whole))
    piece = whole[start : start + dice.choice([1, 2, 3, 5])]
    piece = dice.choice([piece, piece, piece.lower(), piece.upper()])
    if dice.random() < 0.3:
        source = dice.choice(["^", "", ""]) + "".join(map(escape, piece)) + dice.choice(["$", "", ".*y"])
        return f"{kind}:/{source}/", lambda one, case: is_pattern(source, name(one), case)
    piece = piece if piece.strip() else "y"
    return f"{kind}:{quoted(piece)}", lambda one, case: is_piece(piece, name(one), case)


# Rows

WORDS = ["a", "ab", "abc", "self", "Self", "SELF", "x1", "_", "__init__", "naïve", "Σας", "ΣΑΣ", "İx", "\u212ab",
         "über", "ÜBER", "排序", "q" * 99, "q" * 100, "Q" * 101, "Ab" * 49, "Ab" * 50, "1", "😀", "HTTPServer",
         "parseHTTPResponse2", "read_json", "readJson", "utf8Decoder", "sha256", "SHA256Sum", "_private", "MAX_SIZE",
         "aB", "A1b", "iOS", "json", "server"]  # fmt: skip
ENDS = [".py", "_test.c", "X.PY", "_json_Tree.py"]
GLUE = [" ", "  ", ".", "->", "(", ")", "\n", "\r\n", "\t", "", '"', "\\", ":", "\0", "/", "\u2028", " == ", "()"]
DEFINED = ["HTTPServer", "httpServer", "read_json", "Self", "json", "_private", "Tree", "tree", "TREE"]


def a_text(dice, pieces):
    return "".join(dice.choice(WORDS) + dice.choice(GLUE) for _ in range(pieces))


def a_program(dice):
    names = [dice.choice(DEFINED) for _ in range(dice.randint(1, 3))]
    return "".join(
        dice.choice([f"class {name}:\n    x1 = {dice.choice(DEFINED)}\n\n", f"def {name}(self):\n    return ab\n\n"])
        for name in names
    )


def a_corpus(seed, files):
    """Rows, some of them programs in Python; `symbols` is empty yet."""
    dice = random.Random(seed)
    return [
        row(
            f"{dice.choice(['src', 'Tests', 'té st', 'a'])}/{number}{dice.choice(ENDS)}",
            a_program(dice) if program else a_text(dice, dice.randint(0, 40)),
            repo_name=f"{dice.choice(['pypi', 'own'])}/{dice.choice(['one', 'Two'])}",
            language="Python" if program else dice.choice(["C", "C++", "Jupyter Notebook"]),
            license_type=dice.choice(["permissive", "no_license"]),
            licenses=dice.choice([(), ("MIT",), ("MIT OR Apache-2.0",), ("BSD-3-Clause", "MIT AND Zlib")]),
        )
        | {"symbols": []}
        for number, program in ((number, dice.random() < 0.3) for number in range(files))
    ]


def defined(content):
    """What a program of `a_program` defines."""
    return re.findall(r"^(?:def|class) (\w+)", content, re.MULTILINE)


def told(counted: Counter, kinds, hits, files):
    """Counts a query by its kinds, and by whether it told files apart."""
    counted.update(kinds)
    counted["some"] += 0 < hits < files
    counted["none"] += hits == 0
