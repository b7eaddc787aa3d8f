"""Languages, and what names and first lines tell of a file: language, generated, vendored, documentation, test.

A library: it knows no workspace. Nothing is read or compiled at import but a few patterns.
"""

from starloom.languages.detect import Detection, detect, extension
from starloom.languages.generated import generated_marker, is_generated_name
from starloom.languages.table import Language, by_name, load
from starloom.languages.vendored import PathFacts, is_documentation, is_test, is_vendor, path_facts

__all__ = [
    "Detection",
    "Language",
    "PathFacts",
    "by_name",
    "detect",
    "extension",
    "generated_marker",
    "is_documentation",
    "is_generated_name",
    "is_test",
    "is_vendor",
    "load",
    "path_facts",
]
