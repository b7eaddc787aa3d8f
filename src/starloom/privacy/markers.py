"""Markers: what stands for something private, spelled so that the file it stands in can still be read.

The paper's (arXiv 2402.19173, section 4) are `<NAME>`, `<EMAIL>`, `<KEY>`, `<PASSWORD>`. Where `<` begins a tag, in
XML, HTML, templates and the text of JSX elements, `&lt;EMAIL&gt;` says the same; where it redirects, in the bare words
of a shell, a word stands: `__EMAIL__`. The dataset notes where a marker is, and for a model all are one token, so what
is guessed here from the text before a place costs nothing where the guess is wrong.
"""

import re
from collections.abc import Mapping
from typing import Final

MARKERS: Final[Mapping[str, str]] = {
    "EMAIL": "<EMAIL>",
    "KEY": "<KEY>",
    "PASSWORD": "<PASSWORD>",
    "NAME": "<NAME>",
    "USERNAME": "<NAME>",  # the paper has no marker for it
}

# Languages by Linguist's names.
_MARKUP: Final = """
Ant Build System, Antlers, Astro, Blade, COLLADA, ColdFusion, Ecmarkup, EJS, Genshi, Handlebars, HTML, HTML+ECR,
HTML+EEX, HTML+ERB, HTML+PHP, HTML+Razor, Jinja, Liquid, Marko, Maven POM, Mustache, Nunjucks, Smarty, SPARQL, Svelte,
SVG, Turtle, Twig, Vue, Web Ontology Language, XML, XML Property List, XPages, XProc, XSLT
"""
_SHELLS: Final = """
Alpine Abuild, Batchfile, Dockerfile, Dotenv, fish, Gentoo Ebuild, Gentoo Eclass, Makefile, OpenRC runscript,
PowerShell, Shell, Tcsh
"""
_JSX: Final = "JavaScript, TSX"
LANGUAGES: Final[Mapping[str, str]] = {
    one.strip(): manner
    for manner, languages in (("markup", _MARKUP), ("shell", _SHELLS), ("jsx", _JSX))
    for one in languages.split(",")
}

_BEFORE: Final = 400  # characters looked at before a place
_COMMENT: Final = re.compile(r"(?:^|\s)(?:#|::|rem\s)", re.I)
_QUOTED: Final = re.compile(r"\\.|'[^']*'|\"(?:[^\"\\]|\\.)*\"")  # what is closed again

# Every way in which a marker stands in a text, and the marker.
SPELLINGS: Final[Mapping[str, str]] = {
    spelling: marker
    for marker in MARKERS.values()
    for spelling in (marker, f"&lt;{marker[1:-1]}&gt;", f"__{marker[1:-1]}__")
}


def spelled(kind: str, text: str, start: int, language: str) -> str:
    """The marker of `kind` for what begins at `start` of a text in `language`.

    >>> spelled("KEY", "a = ", 4, "Python"), spelled("KEY", "<a>", 3, "XML"), spelled("KEY", "export A=", 9, "Shell")
    ('<KEY>', '&lt;KEY&gt;', '__KEY__')
    """
    marker = MARKERS[kind]
    name = marker[1:-1]
    manner = LANGUAGES.get(language)
    if manner == "markup" or (manner == "jsx" and _is_between_tags(text, start)):
        return f"&lt;{name}&gt;"
    if manner == "shell" and _is_bare(text, start):
        return f"__{name}__"
    return marker


def _is_between_tags(text: str, start: int) -> bool:
    """Whether the last thing before it that opens or closes anything is a tag's end: `>`, but no `=>` or `->`."""
    for place in range(start - 1, max(start - _BEFORE, 0) - 1, -1):
        if text[place] in "<{}\"'`;()":
            return False
        if text[place] == ">":
            return text[place - 1 : place] not in ("=", "-")
    return False


def _is_bare(text: str, start: int) -> bool:
    """Whether it stands in no string and no comment that begins on its line."""
    line = text[max(text.rfind("\n", 0, start) + 1, start - _BEFORE) : start]
    open_ended = _QUOTED.sub("", line)
    return not ("'" in open_ended or '"' in open_ended or _COMMENT.search(open_ended))
