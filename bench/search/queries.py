"""Queries of every kind, made of lines of real files, each with what it must find, in words of its own.

A judge knows nothing of the index, its parser or its kernels: it is Python's `re` and `in` over the bytes of a file,
and for patterns RE2 itself, for `re` takes hours for `[^,;]+?.+Profile`.
Pieces are of ASCII, so that "in any case" is no matter of taste; the files are not.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

import re2
from running.workspace import Corpus, File

KINDS = ("keyword", "phrase", "substring", "regex", "filters", "boolean")
Judge = Callable[[File, bytes], bool]

_IDENTIFIER = re.compile(rb"[0-9A-Za-z_]+")
_BORDER = re.compile(rb"_+|(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_CHARACTERS = frozenset(b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz")
_LONGEST = 100  # from here on an identifier has no parts


@dataclass(frozen=True)
class Asked:
    """`needles`: one of them stands in every file that is found, in small letters."""

    kind: str
    text: str
    needles: tuple[bytes, ...]
    judge: Judge
    pieces: tuple[str, ...] = ()  # for peers: the words, the piece, the expression


def make(corpus: Corpus, kind: str, number: int, seed: int) -> list[Asked]:
    chance = random.Random(f"{kind} {seed}")
    found: dict[str, Asked] = {}
    while len(found) < number:
        one = _MAKERS[kind](corpus, chance)
        if one is not None:
            found.setdefault(one.text, one)
    return list(found.values())


def answers(corpus: Corpus, asked: Asked) -> list[int]:
    """The files that hold it, by a scan over all."""
    some = sorted({number for needle in asked.needles for number in corpus.holding(needle)})
    return [number for number in some if asked.judge(corpus.files[number], corpus.text(number))]


def _line(corpus: Corpus, chance: random.Random) -> tuple[File, str]:
    """A line of ASCII with something in it, without what the language of queries gives a meaning."""
    while True:
        number = chance.randrange(len(corpus))
        lines = corpus.text(number).split(b"\n")
        line = chance.choice(lines).strip()
        if 12 <= len(line) <= 200 and line.isascii() and not re.search(rb'["\\/\x00-\x1f\x7f]', line):
            return corpus.files[number], line.decode()


def _is_word(word: bytes) -> Callable[[bytes], bool]:
    sensitive = word != word.lower()

    def found(text: bytes) -> bool:
        where = text if sensitive else text.lower()
        start = where.find(word)
        while start >= 0:
            end = start + len(word)
            while start and text[start - 1] in _CHARACTERS:
                start -= 1
            while end < len(text) and text[end] in _CHARACTERS:
                end += 1
            one = text[start:end]
            told = {one, *(_BORDER.split(one) if len(one) < _LONGEST else ())}
            if word in (told if sensitive else {part.lower() for part in told}):
                return True
            start = where.find(word, end)
        return False

    return found


def _word(corpus: Corpus, chance: random.Random) -> tuple[File, bytes] | None:
    """An identifier of a line, or a part of one."""
    file, line = _line(corpus, chance)
    whole = [one for one in _IDENTIFIER.findall(line.encode()) if 3 <= len(one) < 40]
    if not whole:
        return None
    one = chance.choice(whole)
    if chance.random() < 0.3:
        one = max(_BORDER.split(one), key=len)
    if chance.random() < 0.3:
        one = one.lower()
    return (file, one) if len(one) >= 3 and one.lower() not in (b"or", b"and", b"not") else None


def _keyword(corpus: Corpus, chance: random.Random) -> Asked | None:
    words = [one[1] for one in (_word(corpus, chance),) if one]
    if words and chance.random() < 0.4:
        _, line = _line(corpus, chance)
        words = [one for one in _IDENTIFIER.findall(line.encode()) if 3 <= len(one) < 40 and one not in _OPERATORS][:3]
    if not words:
        return None
    judges = [_is_word(word) for word in words]
    text = " ".join(word.decode() for word in words)
    needle = max(words, key=len).lower()
    pieces = tuple(word.decode() for word in words)
    return Asked("keyword", text, (needle,), lambda _, data: all(judge(data) for judge in judges), pieces)


def _holds(piece: str) -> Callable[[bytes], bool]:
    wanted = piece.encode()
    if wanted == wanted.lower():
        return lambda data: wanted in data.lower()
    return lambda data: wanted in data


def _phrase(corpus: Corpus, chance: random.Random) -> Asked | None:
    """Three to six words and what is between them."""
    _, line = _line(corpus, chance)
    words = list(re.finditer(r"[0-9A-Za-z_]+", line))
    if len(words) < 3:
        return None
    first = chance.randrange(len(words) - 2)
    last = min(first + chance.randint(2, 5), len(words) - 1)
    return _exact("phrase", line[words[first].start() : words[last].end()])


def _substring(corpus: Corpus, chance: random.Random) -> Asked | None:
    """Cut anywhere."""
    _, line = _line(corpus, chance)
    size = chance.randint(4, 20)
    start = chance.randrange(max(len(line) - size, 0) + 1)
    piece = line[start : start + size]
    return _exact("substring", piece) if len(piece.strip()) >= 4 else None


def _exact(kind: str, piece: str) -> Asked:
    judge = _holds(piece)
    return Asked(kind, f'"{piece}"', (piece.lower().encode(),), lambda _, data: judge(data), (piece,))


def _regex(corpus: Corpus, chance: random.Random) -> Asked | None:
    """A piece of a line, one or two of whose words are made a class, a choice or a gap."""
    _, line = _line(corpus, chance)
    pieces = re.findall(r"[0-9A-Za-z_]+|[^0-9A-Za-z_]+", line)
    size = chance.randint(3, 7)
    start = chance.randrange(max(len(pieces) - size, 0) + 1)
    pieces = pieces[start : start + size]
    kept = [one for one in pieces if len(one) >= 4 and one.isidentifier()]
    if not kept:
        return None
    needle = max(kept, key=len)
    source = []
    for piece in pieces:
        draw = chance.random()
        if piece == needle or draw < 0.5:
            source.append(re.escape(piece).replace("\\ ", " ").replace("/", "\\/"))
        elif not piece.strip():
            source.append("[ \\t]*")
        elif piece.isidentifier():
            other = chance.choice(["[a-z_]+", "[A-Za-z0-9_]*", f"(?:{piece}|none)", "\\w+", ".*", "[^,;]+?"])
            source.append(other)
        else:
            source.append(".+" if draw < 0.75 else "[^\\w\\n]*")
    text = "".join(source)
    if not re.search(r"[\[\\(.]", text) or re.search(r"\\[-#&~]", text):
        return None
    sensitive = text != text.lower()
    pattern_text = text.replace("\\/", "/")
    stands = re2.compile(pattern_text.encode()).search
    needles = (needle.lower().encode(),)
    judge: Judge = lambda _, data: stands(data if sensitive else data.lower()) is not None  # noqa: E731
    return Asked("regex", f"/{text}/", needles, judge, (pattern_text,))


def _filters(corpus: Corpus, chance: random.Random) -> Asked | None:
    """A word or a piece, and one or two of the row's values."""
    found = _word(corpus, chance)
    if found is None:
        return None
    file, word = found
    is_word = _is_word(word)
    parts, judges = [word.decode()], [lambda _, data: is_word(data)]
    for field in chance.sample(("lang", "repo", "path", "file", "license"), chance.randint(1, 2)):
        told = _filter(field, file)
        if told is None:
            return None
        parts.append(told[0])
        judges.append(told[1])
    return Asked("filters", " ".join(parts), (word.lower(),), lambda file, data: all(one(file, data) for one in judges))


def _filter(field: str, file: File) -> tuple[str, Judge] | None:
    if field == "lang":
        language = file.language
        return (f'lang:"{language}"', lambda one, _: one.language == language) if language else None
    if field == "license":
        kind = file.license_type
        return (f"license:{kind}", lambda one, _: one.license_type == kind) if kind else None
    value = {"repo": file.repo, "path": file.path, "file": file.path.rsplit("/", 1)[-1]}[field]
    if not re.fullmatch(r"[0-9A-Za-z_./@+-]+", value):
        return None
    piece = value[len(value) // 3 :][:12]
    if len(piece) < 3 or piece[0] in "/":
        return None
    names: dict[str, Callable[[File], str]] = {
        "repo": lambda one: one.repo,
        "path": lambda one: one.path,
        "file": lambda one: one.path.rsplit("/", 1)[-1],
    }
    told = names[field]
    if piece == piece.lower():
        return f'{field}:"{piece}"', lambda one, _: piece in told(one).lower()
    return f'{field}:"{piece}"', lambda one, _: piece in told(one)


def _boolean(corpus: Corpus, chance: random.Random) -> Asked | None:
    """`or`, `-`, parentheses and case:, over words and pieces."""
    one, two, three = _word(corpus, chance), _substring(corpus, chance), _keyword(corpus, chance)
    if one is None or two is None or three is None:
        return None
    word, is_word = one[1], _is_word(one[1])
    form = chance.randrange(4)
    name = word.decode()
    if form == 0:
        text, needles = f"{name} -{two.text}", (word.lower(),)
        return Asked("boolean", text, needles, lambda f, d: is_word(d) and not two.judge(f, d))
    if form == 1:
        text, needles = f"({name} or {two.text}) ({three.text})", three.needles
        return Asked("boolean", text, needles, lambda f, d: three.judge(f, d) and (is_word(d) or two.judge(f, d)))
    if form == 2:
        text, needles = f"{name} or {three.text}", (word.lower(), *three.needles)
        return Asked("boolean", text, needles, lambda f, d: is_word(d) or three.judge(f, d))
    wanted = two.text[1:-1].encode()
    return Asked("boolean", f"case:yes {two.text}", (wanted.lower(),), lambda _, d: wanted in d)


_OPERATORS = {b"or", b"OR", b"and", b"AND", b"not", b"NOT"}
_MAKERS: dict[str, Callable[[Corpus, random.Random], Asked | None]] = {
    "keyword": _keyword,
    "phrase": _phrase,
    "substring": _substring,
    "regex": _regex,
    "filters": _filters,
    "boolean": _boolean,
}
