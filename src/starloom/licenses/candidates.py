"""Which files may state a licence: the file-name pattern of The Stack v2.

Source: the published pipeline of arXiv 2402.19173 (bigcode-project/the-stack-v2). Cost: about 1 µs per name.
"""

import re

_NAMES = "|".join(
    [
        r"li[cs]en[cs]e(s?)",
        r"legal",
        r"copy(left|right|ing)",
        r"unlicense",
        r"[al]?gpl([-_ v]?)(\d\.?\d?)?",
        r"bsd(l?)",
        r"mit(x?)",
        r"apache",
        r"artistic",
        r"copying(v?)(\d?)",
        r"disclaimer",
        r"eupl",
        r"gfdl",
        r"[cm]pl",
        r"cc0",
        r"al([-_ v]?)(\d\.?\d)?",
        r"about",
        r"notice",
        r"readme",
        r"guidelines",
    ]
)
PUBLISHED = re.compile(rf"^(|.*[-_. ])({_NAMES})(|[-_. ].*)$", re.IGNORECASE)

# The same for lower-case ASCII names, about twice as fast: no groups, and a search that starts at separators
# where the published form backtracks over each of them. A property test holds the two together.
_QUICK = re.sub(r"\((?!\?)", "(?:", rf"(?=[abcdeglmnru])(?:{_NAMES})(?![^-_. ])")
_START, _LATER = re.compile(_QUICK), re.compile(rf"[-_. ]{_QUICK}")


# Names of files that hold a licence and nothing else: LICENSE, LICENCE.txt, COPYING.LESSER, LICENSE-MIT.md, UNLICENSE.
_LICENSE = re.compile(
    r"(?:un)?li[cs]en[cs]es?(?:[-_. ][\w.+-]*)?|copying(?:[-_. ]?\w*)?(?:\.\w*)?|(?:\w+[-_. ])?li[cs]en[cs]e",
    re.IGNORECASE,
)
_ONE = re.compile(r"(?:un)?li[cs]en[cs]e(?!s)|copying", re.IGNORECASE)
_TEXT = ("", "txt", "text", "md", "markdown", "rst", "html", "htm", "lesser", "lib", "mit", "apache", "bsd", "gpl")


def is_license_text(path: str) -> bool:
    """Whether the base name says that the file is a licence, rather than a file that may mention one.

    >>> [is_license_text(path) for path in ("a/LICENSE", "COPYING.LESSER", "README.md", "license.py", "NOTICE")]
    [True, True, False, False, False]
    """
    name = path[path.rfind("/") + 1 :]
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending in ("html", "htm") and not _ONE.match(name):
        return False  # a page of licences, or about them
    return _LICENSE.fullmatch(name) is not None and (ending in _TEXT or ending.isdigit())


def is_license_candidate(path: str) -> bool:
    """Whether the base name of `path` (separated by `/`) matches the published pattern, in any case.

    >>> [is_license_candidate(path) for path in ("LICENSE", "docs/README.md", "src/mit_parser.py", "src/limit.py")]
    [True, True, True, False]
    """
    name = path[path.rfind("/") + 1 :]
    if name.isascii() and "\n" not in name:
        name = name.lower()
        return _START.match(name) is not None or _LATER.search(name) is not None
    return PUBLISHED.match(name) is not None  # `\d`, `.`, `$` and the case of letters mean more here
