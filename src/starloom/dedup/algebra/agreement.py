"""By what two collections are compared, of which one or both may be signatures made elsewhere."""

from typing import TYPE_CHECKING

from starloom.dedup.signature import MinHashSettings, Tokenisation, tuned
from starloom.errors import UserError

if TYPE_CHECKING:
    from starloom.dedup.algebra.agreed_key import Key
    from starloom.dedup.algebra.signature_file import Terms


def agreed(
    a: "tuple[str, Terms | None]",
    b: "tuple[str, Terms | None]",
    threshold: float,
    tokenisation: Tokenisation | None = None,
    key: "Key | None" = None,
) -> MinHashSettings:
    """How to sign the texts of `a` and `b` (the name of each, and the terms of one that is signed already), with bands
    for `threshold`; without a tokenisation that of the signatures, or "words".

    Raises UserError where the two do not go together, and where the key is missing, of no use or another one.
    """
    signed = [(name, terms) for name, terms in (a, b) if terms is not None]
    if not signed:
        if key:
            raise UserError(
                f"a key, and the texts of both {a[0]} and {b[0]} are there",
                "leave --key-file out: it is for files that were signed with one",
            )
        return tuned(threshold, tokenisation=tokenisation or "words")
    name, terms = signed[0]
    if len(signed) == 2 and (problems := terms.differences(signed[1][1])):
        raise UserError(
            f"{name} and {signed[1][0]} do not go together: {'; '.join(problems)}", "sign one of them as the other is"
        )
    if tokenisation and tokenisation != terms.tokenisation:
        raise UserError(f"{name} is signed with tokenisation {terms.tokenisation}", "leave --tokenisation out")
    if key and terms.key_check is None:
        raise UserError(f"{name} is signed without a key", "leave --key-file out")
    if key and terms.key_check != key.check:
        raise UserError(f"{name} is signed with another key than this one", "ask who signed it for the right one")
    if terms.key_check and key is None and len(signed) == 1:
        raise UserError(f"{name} is signed with a key", "give it: --key-file FILE")
    found = terms.settings_of(key.seed if key else terms.seed or 0)
    return tuned(threshold, found.permutations, found.tokenisation, found.seed)
