"""Names of people in full, where a place in a text is known to hold one: two to five words of which each is written as
part of a name.

A single word is none (the paper's rule: bigcode-dataset, pii/ner/pii_redaction/utils.py, `is_full_name`), nor are
organisations, groups, and the names that examples use. Names without capital letters or without spaces between their
words are not recognised. Cost: constant.
"""

import re
from collections.abc import Iterator
from functools import lru_cache

from starloom.privacy.word_lists import lines, words

_LONGEST = 80  # characters of a name
_MOST = 5  # words
_SENTENCE = 4  # letters: a point after more of them ends a sentence, after fewer it may abbreviate

_WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’`.-](?=[^\W\d_])){0,39}\.?")
_GAP = " \u00a0"
_WITHIN = "'’`.\\-"  # a word, beside letters
_BACKWARDS = re.compile(rf"(?:[^\W\d_]|[{_WITHIN}]){{1,40}}(?:[{_GAP}](?:[^\W\d_]|[{_WITHIN}]){{1,40}}){{0,7}}")
_SEPARATOR = re.compile(r"(?:\s{0,2}(?:<[^<>\n]{3,80}>|\([^()\n]{1,80}\)))?(?:, and |, | and | & |; | / )")
_CAPITALS = ("Mc", "Mac", "De", "Van", "Le", "La", "Di", "Du", "Fitz", "O")  # before another: McCallum
_PARTICLES = words("particles")
_NOT_NAMES = words("not_names")
_ORGANISATIONS = words("organisations")
_EXAMPLES = lines("examples")
_SUFFIXES = ("Jr.", "Sr.")

Part = tuple[int, int]  # a word: start, end


def full_name_at(text: str, start: int) -> int | None:
    """Where the full name that begins at character `start` ends; None: there is none."""
    line = text.find("\n", start, start + _LONGEST + 1)
    end = _at_the_start_of(text[start : line if line >= 0 else start + _LONGEST + 1])
    return None if end is None else start + end


@lru_cache(1 << 12)  # a list of changes names the same few people over and over
def _at_the_start_of(text: str) -> int | None:
    """Where the full name ends that begins with the text: a line's, as far as a name is long and one character more."""
    parts: list[Part] = []
    at = 0
    while len(parts) <= _MOST:
        word = _WORD.match(text, at, _LONGEST)
        if word and parts and _is_organisation(word[0]) and word[0][0].isupper():
            return None  # "Ada Weaver Group"
        if word is None or not (_is_part(word[0]) or (parts and word[0] in _PARTICLES)):
            break
        after = text[word.end() : word.end() + 1]
        if after.isdigit() or (after and after in "_@=[") or (after == ":" and parts) or (after == "(" and not parts):
            break  # an identifier; the next label
        parts.append(word.span())
        at = word.end() + 1
        if after not in _GAP or not after or _ends_sentence(word[0]):
            break
    return _judged(text, parts)


def full_name_before(text: str, end: int) -> int | None:
    """Where the full name that ends at character `end` begins; None: there is none."""
    run = _BACKWARDS.match(text[max(end - _LONGEST, 0) : end][::-1])
    if run is None:
        return None
    at = end - run.end()
    before = text[at - 1 : at]
    whole = not (before.isalnum() or (before and before in "_@/\\"))
    start = _at_the_end_of(text[at:end], whole)
    return None if start is None else at + start


@lru_cache(1 << 12)
def _at_the_end_of(run: str, whole: bool) -> int | None:
    """Where the full name begins that a run of words ends with. `whole`: the first is no end of a longer word."""
    if " " not in run.replace("\u00a0", " "):
        return None
    parts: list[Part] = []
    for word in _WORD.finditer(run):
        good = _is_part(word[0]) or (parts and word[0] in _PARTICLES)
        if not good or (word.start() == 0 and not whole) or not _touches(parts, word.start()):
            parts = [word.span()] if good and word.start() > 0 else []
            continue
        parts.append(word.span())
        if _ends_sentence(word[0]) and word.end() < len(run):
            parts = []
    parts = _trimmed(run, parts)
    return parts[0][0] if parts and _judged(run, parts) == len(run) else None


def full_names_at(text: str, start: int, most: int = 20) -> Iterator[Part]:
    """The full names that stand at `start`, separated by commas or "and", each perhaps with its address after it."""
    for _ in range(most):
        end = full_name_at(text, start)
        if end is not None:
            yield start, end
        else:
            alone = _WORD.match(text, start)  # a name of one word does not end the list
            if alone is None:
                return
            end = alone.end()
        separator = _SEPARATOR.match(text, end)
        if separator is None:
            return
        start = separator.end()


def _touches(parts: list[Part], start: int) -> bool:
    return not parts or start == parts[-1][1] + 1


@lru_cache(1 << 16)
def _is_part(word: str) -> bool:
    """Whether it may be the first or the last word of a name."""
    if not word[0].isupper() or word.lower().rstrip(".") in _NOT_NAMES or _is_organisation(word):
        return False
    if word.isupper():
        return True
    capitals = sum(one.isupper() for one in word)
    return capitals <= 1 + sum(one in _WITHIN for one in word) + word.startswith(_CAPITALS)


def _is_organisation(word: str) -> bool:
    return word.lower().rstrip(".") in _ORGANISATIONS


def _ends_sentence(word: str) -> bool:
    return word.endswith(".") and len(word) > _SENTENCE and word not in _SUFFIXES


def _trimmed(text: str, parts: list[Part]) -> list[Part]:
    """Without particles at its ends: "van" of "van Joe Doe van"."""
    while parts and text[slice(*parts[-1])] in _PARTICLES:
        parts = parts[:-1]
    while parts and text[slice(*parts[0])] in _PARTICLES:
        parts = parts[1:]
    return parts


def _judged(text: str, parts: list[Part]) -> int | None:
    """Where the name of these words ends, if they are one."""
    parts = _trimmed(text, parts)
    if not 2 <= len(parts) <= _MOST:
        return None
    start, end = parts[0][0], parts[-1][1]
    last = text[parts[-1][0] : end]
    if last.endswith(".") and len(last) > 2 and last not in _SUFFIXES:
        end -= 1
    name = text[start:end]
    long = [text[a:b] for a, b in parts if b - a > 2]
    if not long or name.lower() in _EXAMPLES or (name.isupper() and (len(long) < 2 or len(parts) > 3)):
        return None  # initials, examples, an abbreviation, a heading
    return end
