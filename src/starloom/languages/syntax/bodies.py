"""Files without what stands in the bodies of their functions, for who looks for definitions: nothing is defined in most
of them, and to parse them takes two fifths of a parser's time over many languages, three quarters of it for C, two
thirds for Haskell and Python.

BODIES says, by language, which words define something between brackets; pairs that hold none of them are emptied
(kernels/hollow), so that definitions stay on their lines. LAYOUTS says the same where columns tell what belongs to a
function (kernels/hollow_layout). Just the same is found in files without syntax errors. In others the parser goes
astray elsewhere: of 6,519 files with 70,237 definitions 44, all with errors, lost 126 and showed 78 more, and 32 times
an `if` was no longer taken for a function; of 21,751 files of the four LAYOUTS 50, all with errors. Not for languages
where a bracket may be a type with members (TypeScript).
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np

from starloom.kernels.hollow import hollow
from starloom.kernels.hollow_layout import hollow_layout
from starloom.kernels.hollow_layout_rules import BOUND, ENDED, EQUATIONS, INDENTED, Layout
from starloom.kernels.hollow_layout_rules import Packed as PackedLayouts
from starloom.kernels.hollow_layout_rules import pack as pack_layouts
from starloom.kernels.hollow_rules import Brackets, Packed, pack
from starloom.kernels.lexical import all_spans
from starloom.kernels.text import Int64s, UInt8s
from starloom.languages.comments import packed, place

_C: Final = Brackets(stays="typedef", holds="struct union enum extern", controls="if for while switch", c=True)
_DEFINES: Final = (
    "define define-syntax define-record-type define-values define-syntax-rule define/contract struct define-struct"
)
_LISP: Final = Brackets(b"([", stays=_DEFINES, holds=_DEFINES, lisp=True)

BODIES: Final = {
    "C": _C,
    "C#": Brackets(
        holds="class interface enum record struct new namespace",
        controls="if for foreach while switch catch lock using fixed",
    ),
    "C++": Brackets(
        stays="typedef using concept",
        holds="struct union enum extern class namespace",
        controls="if for while switch catch",
        c=True,
    ),
    "GLSL": _C,
    "Go": Brackets(stays="type", holds="interface"),
    "Java": Brackets(holds="class interface enum record new", controls="if for while switch catch synchronized try"),
    "JavaScript": Brackets(
        stays="function class", holds="class", controls="if for while switch catch with", arrows=True
    ),
    "Kotlin": Brackets(stays="fun const typealias class object interface", holds="class object interface enum"),
    "Objective-C": _C,
    "Perl": Brackets(stays="sub method package class constant", holds="package class constant", perl=True),
    "PHP": Brackets(stays="function const", holds="class interface trait enum"),
    "Racket": _LISP,
    "Rust": Brackets(
        stays="mod fn struct enum union trait type const static macro_rules",
        holds="enum trait impl mod struct union macro_rules extern",
    ),
    "Scala": Brackets(
        stays="def type class object trait enum",
        holds="class object trait enum new with package given extension for",  # `for {}` is an error
    ),
    "Scheme": _LISP,
}

LAYOUTS: Final = {
    "Haskell": Layout(
        EQUATIONS,
        stays="data newtype class type pattern",
        no_equation="module data newtype type class infix infixl infixr default foreign deriving pattern where else"
        " then of let in if case do",
        dropped="import",
        holds="instance",
        where="where",
    ),
    "OCaml": Layout(
        BOUND,
        starts="let",
        stays="module struct sig object class method external type exception val functor and",
        goes_on="and",
        next="let and type module open include exception external class",
        incomplete="in then else do begin with fun function of match if when while for try lazy assert let and rec"
        " new or mod land lor lxor lsl lsr asr to downto as not struct sig object",
        where="in",
    ),
    "Python": Layout(INDENTED, starts="def", stays="class type", before="async"),
    "Ruby": Layout(
        ENDED, starts="def", stays="class module alias", ends="end", begins="if unless while until case for begin do"
    ),
}


def without_bodies(texts: Sequence[tuple[str, bytes | memoryview]]) -> list[tuple[str, bytes | memoryview]]:
    """Each of (language, UTF-8 text), emptied where BODIES or LAYOUTS know the language."""
    found = list(texts)
    for known, emptied in ((BODIES, _emptied), (LAYOUTS, _emptied_layout)):
        numbers = [number for number, (language, _) in enumerate(texts) if language in known]
        names = [texts[number][0] for number in numbers]
        some = [texts[number][1] for number in numbers]
        offsets = np.cumsum([0, *map(len, some)], dtype=np.int64)
        data = np.frombuffer(b"".join(some), dtype=np.uint8)
        bounds, spans = all_spans(offsets, data, np.array(list(map(place, names)), np.int32), packed()[1])
        places = {name: number for number, name in enumerate(known)}
        ends, left = emptied(offsets, data, np.array([places[name] for name in names], np.int64), bounds, spans)
        for number, name, start, end in zip(numbers, names, ends[:-1].tolist(), ends[1:].tolist(), strict=True):
            found[number] = name, left[start:end].tobytes()
    return found


def _emptied(offsets: Int64s, data: UInt8s, languages: Int64s, bounds: Int64s, spans: Int64s) -> tuple[Int64s, UInt8s]:
    return hollow(offsets, data, languages, bounds, spans, _brackets())


def _emptied_layout(
    offsets: Int64s, data: UInt8s, languages: Int64s, bounds: Int64s, spans: Int64s
) -> tuple[Int64s, UInt8s]:
    return hollow_layout(offsets, data, languages, bounds, spans, _layouts())


@cache
def _brackets() -> Packed:
    return pack(list(BODIES.values()))


@cache
def _layouts() -> PackedLayouts:
    return pack_layouts(list(LAYOUTS.values()))
