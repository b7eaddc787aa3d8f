"""The type of licence that a file is under, by the decision order of The Stack v2.

Source: the published pipeline of arXiv 2402.19173 (bigcode-project/the-stack-v2), whose sets of licences are
here expressions: a choice (OR) counts as its best part. What is declared and detected for which path is the
caller's business, and so is a file's own notice, which beats both.
"""

from collections.abc import Iterable
from typing import Literal

from starloom.licenses.categories import UNKNOWN_REFERENCE, LicenseClass, expression_class, node_class
from starloom.licenses.expressions import License, Node, conjuncts, parse

LicenseType = Literal["permissive", "no_license", "non_permissive"]

NO_ASSERTION = "NOASSERTION"  # GitHub found a licence file and could not name the licence


def license_type(declared: str | None, detected: Iterable[str], either: bool = False) -> LicenseType:
    """The verdict from a repository's declared licence and the expressions detected for one of its paths.

    In order: (1) a permissive declaration decides, (2) so does any other one except NOASSERTION; (3) with
    nothing detected it is `no_license`, or `non_permissive` under NOASSERTION. Otherwise, of the detected
    licences, (4) references to unknown licences are overlooked beside a permissive one, and (5) it is
    `permissive` if some are permissive and none are not, `no_license` if all are neutral, else `non_permissive`.
    NOASSERTION among the detected counts as a reference to an unknown licence. `either`: see categories.
    """
    if declared:
        if expression_class(declared, either) == "permissive":
            return "permissive"
        if declared != NO_ASSERTION:
            return "non_permissive"
    terms = [term for expression in detected for term in _terms(expression)]
    if not terms:
        return "non_permissive" if declared else "no_license"
    permissive = any(_class(term, either) == "permissive" for term in terms)
    refused = any(_class(term, either) == "non_permissive" and not (permissive and _is_unknown(term)) for term in terms)
    if refused:
        return "non_permissive"
    return "permissive" if permissive else "no_license"


def _terms(expression: str) -> list[Node | None]:
    node = parse(expression)
    return [None] if node is None else list(conjuncts(node))


def _class(term: Node | None, either: bool) -> LicenseClass:
    return node_class(term, either) if term else "non_permissive"  # None: malformed


def _is_unknown(term: Node | None) -> bool:
    return isinstance(term, License) and term.id in (UNKNOWN_REFERENCE, NO_ASSERTION)
