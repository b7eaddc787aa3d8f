r"""Files whose form shows the program that wrote them: minified scripts, parsers, compilers' output, dumps, designers.

generated_forms.toml has them, written from the formats themselves. A form may be right where no header says so (a
source map), or name the program that a header only hints at.
Cost: below 1 µs for extensions without forms, 5-30 µs for scripts and headers of C (2 shared cores, 2026).
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from starloom.languages.alternatives import Alternatives

MAX_HEAD = 5_000  # characters
MAX_TAIL = 300
MAX_SCRIPT = 20_000  # of a script that may be minified

_COMMENTS = re.compile(r"\A(?:\s+|/\*.*?\*/|//[^\n]*\n)*", re.DOTALL)
_LONG_LINE = 110  # average characters; what people write stays below 60
_FEW_SPACES = 0.12  # share of blanks; people's indented scripts have 0.2 and more
_LEAST = 300  # characters; shorter scripts may be one line of anybody's


class Form(NamedTuple):
    reason: str
    head: Alternatives | None
    tail: re.Pattern[str] | None
    test: Callable[[str], bool] | None


def generated_form(file_name: str, text: str) -> str | None:
    """The program or form that the text is of ("minified", "parser of Bison"), or None.

    >>> generated_form("a.s", '\\t.file\\t"a.c"\\n\\t.text\\n')
    'assembly of a compiler'
    """
    found = forms().get(key(file_name))
    return first_form(found, text) if found else None


def key(file_name: str) -> str:
    """The extension in lower case, or the whole name where it has none."""
    return file_name.rpartition(".")[2].lower()


def first_form(forms: Sequence[Form], text: str, standing: frozenset[str] | None = None) -> str | None:
    """The first form that the text is of; `standing`: of the words of its head, see `Alternatives.search`."""
    head, tail = text[:MAX_HEAD], text[-MAX_TAIL:]
    for form in forms:
        if (
            (form.head is None or form.head.search(head, standing))
            and (form.tail is None or form.tail.search(tail))
            and (form.test is None or form.test(text))
        ):
            return form.reason
    return None


def _minified(text: str) -> bool:
    """Long lines with hardly a blank, licence comments at the start apart."""
    start = _COMMENTS.match(text[:MAX_HEAD])
    body = text[start.end() if start else 0 : MAX_SCRIPT].rstrip()
    if len(body) < _LEAST:
        return False
    return len(body) > _LONG_LINE * (body.count("\n") + 1) and body.count(" ") < _FEW_SPACES * len(body)


def _by_generator(text: str) -> bool:
    """Whether the generator that HTML names is a program that makes pages by itself, no editor or tidier."""
    found = _GENERATOR.search(text[:MAX_HEAD])
    return found is not None and _EDITORS.search(found[1] or found[2]) is None


_TESTS = {"minified": _minified, "by_generator": _by_generator}
_GENERATOR = re.compile(
    r"""<meta\s(?:name=["']?generator["']?\s[^>]{0,100}?content=["']?([^"'>]{1,100})"""
    r"""|content=["']?([^"'>]{1,100})["']?\s[^>]{0,100}?name=["']?generator\b)""",
    re.IGNORECASE,
)
_EDITORS = re.compile(
    r"frontpage|dreamweaver|mozilla|netscape|nvu|kompozer|seamonkey|bluefish|\bvim?\b|emacs\b(?! org)|notepad|tidy|hand"
    r"|amaya|hotdog|homesite|golive|textpad|editplus|quanta|bbedit|web ?matrix|visual studio|namo|arachnophilia",
    re.IGNORECASE,
)


@cache
def forms() -> dict[str, tuple[Form, ...]]:
    """By `key`."""
    import tomllib
    from importlib.resources import files

    document = tomllib.loads(files(__package__).joinpath("generated_forms.toml").read_text("utf-8"))
    found: dict[str, tuple[Form, ...]] = {}
    for one in document["forms"]:
        tail = one.get("tail")
        form = Form(
            one["reason"],
            Alternatives("|".join(one["any"])) if "any" in one else None,
            re.compile(tail, re.MULTILINE) if tail else None,
            _TESTS[one["test"]] if "test" in one else None,
        )
        for extension in one["extensions"].split():
            found[extension] = (*found.get(extension, ()), form)
    return found
