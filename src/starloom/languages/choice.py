"""Who tells languages: our own rules, or the tables of a Linguist that the user has, for datasets to agree."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from starloom.languages.detect import Detection, detect
from starloom.languages.vendored import PathFacts, path_facts


@dataclass(frozen=True)
class LanguageSettings:
    """`[languages]`: who tells them."""

    linguist: str = ""  # folder of a Linguist checkout or package, to agree with it; empty: our own rules


@dataclass(frozen=True)
class Judge:
    """What tells languages and path facts; `mark` stands for its tables in fingerprints."""

    language: Callable[[str, str], Detection | None]  # of (file name, text)
    is_own: bool  # whether our own rules do: `at_once.languages` then says the same of many files
    facts: Callable[[str], PathFacts]  # of a path
    mark: str


@functools.cache
def judge(settings: LanguageSettings) -> Judge:
    """Raises UserError where the folder is no Linguist."""
    if not settings.linguist:
        return Judge(detect, True, path_facts, "")
    from starloom.languages.linguist import open_linguist

    linguist = open_linguist(Path(settings.linguist))

    def facts(path: str) -> PathFacts:
        own = path_facts(path)
        return own._replace(is_vendor=linguist.is_vendor(path), is_documentation=linguist.is_documentation(path))

    return Judge(linguist.detect, False, facts, linguist.fingerprint)
