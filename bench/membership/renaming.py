"""Copies with other names: every name of a piece of code replaced by a new one, the same everywhere in the piece.

Kept: key words, what stands in strings and comments (where a tool for renaming leaves it too), and numbers. Of names
that the piece does not define itself (of libraries, say) a part is kept, as somebody who renames by hand would.
"""

import random
import re

LEAST_LINES = 20
LANGUAGES = ("C", "C++", "Go", "Java", "JavaScript", "PHP", "Python", "Ruby", "Rust", "TypeScript")

_STRINGS = r'"(?:\\.|[^"\\\n])*"|' + r"'(?:\\.|[^'\\\n])*'"
_SKIPPED = {
    "Python": re.compile(r'"""[\s\S]*?"""|' + r"'''[\s\S]*?'''|#[^\n]*|" + _STRINGS),
    "Ruby": re.compile(r"#[^\n]*|" + _STRINGS),
}
_C_LIKE = re.compile(r"/\*[\s\S]*?\*/|//[^\n]*|^[ \t]*#[^\n]*|`(?:\\.|[^`\\])*`|" + _STRINGS, re.MULTILINE)
_NAME = re.compile(r"(?<![0-9A-Za-z_])[A-Za-z_][0-9A-Za-z_]*")
_WORDS = """abstract and any as assert async await auto begin bool boolean break byte case catch chan char class
const constexpr continue crate def default defer del delete do double dyn echo elif else elsif elseif end endif
ensure enum except explicit export extends extern false False final finally float fn for foreach friend from func
function global go goto if impl implements import in include inline instanceof int interface is lambda let long loop
map match mod module move mut namespace native new next nil None nonlocal not null nullptr operator or override
package pass private protected pub public raise range redo ref require rescue retry return self Self short signed
sizeof static string struct super switch synchronized template then this throw throws trait transient true True try
type typedef typename typeof undef undefined union unless unsafe unsigned until use using val var virtual void
volatile when where while with yield i8 i16 i32 i64 u8 u16 u32 u64 usize isize f32 f64 str size_t number symbol
never unknown readonly keyof infer declare error rune"""
_KEYWORDS = frozenset(_WORDS.split())


def piece(text: str, chance: random.Random) -> str | None:
    """Some 20 to 60 lines of code, with names and statements enough to be told; None where chance found none."""
    lines = text.split("\n")
    if len(lines) < LEAST_LINES + 5:
        return None
    start = chance.randrange(len(lines) - LEAST_LINES)
    some = lines[start : start + chance.randint(LEAST_LINES, 60)]
    code = [line for line in some if line.strip() and not line.strip().startswith(("*", "//", "#", "/*"))]
    if len(code) < LEAST_LINES or max(map(len, some)) > 300:
        return None
    found = "\n".join(some)
    return found if len(set(_names(found, _C_LIKE))) >= 8 else None


def renamed(code: str, language: str, share: float, chance: random.Random) -> str:
    """With `share` of its names replaced."""
    skipped = _SKIPPED.get(language, _C_LIKE)
    names = sorted(set(_names(code, skipped)))
    chosen = [name for name in names if chance.random() < share]
    new: dict[str, str] = {}
    taken = set(names)
    for name in chosen:
        while (other := _new(name, chance)) in taken:
            pass
        taken.add(other)
        new[name] = other
    result, end = [], 0
    for found in skipped.finditer(code):
        result += [_NAME.sub(lambda name: new.get(name[0], name[0]), code[end : found.start()]), found[0]]
        end = found.end()
    result.append(_NAME.sub(lambda name: new.get(name[0], name[0]), code[end:]))
    return "".join(result)


def _names(code: str, skipped: re.Pattern[str]) -> list[str]:
    return [name for name in _NAME.findall(skipped.sub(" ", code)) if name not in _KEYWORDS]


def _new(name: str, chance: random.Random) -> str:
    """Of another length, in the same manner."""
    parts = [
        "".join(chance.choices("abcdefghiklmnoprstuvw", k=chance.randint(3, 7))) for _ in range(chance.randint(1, 2))
    ]
    if "_" in name:
        return "_".join(parts)
    told = parts[0] + "".join(part.title() for part in parts[1:])
    return told.title() if name[:1].isupper() else told
