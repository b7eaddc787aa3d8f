"""Whether files that parse still do when what was found in them is replaced by markers, as `write` does it."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from starloom.languages.syntax import grammars, parse_errors
from starloom.privacy.finding import Finding
from starloom.privacy.replace import RedactSettings, replaced

File3 = tuple[str, str, Sequence[Finding]]  # language, text, findings


def still_parse(files: Sequence[File3]) -> dict[str, Any]:
    """Of files with a grammar and something to replace: how many parsed without an error, and of these how many do
    afterwards, by language and by the kinds that were replaced."""
    asked = [(language, text, some) for language, text, some in files if language in grammars()]
    after = [replaced(text, some, RedactSettings(), language) for language, text, some in asked]
    rows = [
        (language, text, new, told)
        for (language, text, _), (new, told) in zip(asked, after, strict=True)
        if new != text
    ]
    errors = parse_errors([(language, text.encode("utf-8", "replace")) for language, text, _, _ in rows])
    errors_after = parse_errors([(language, new.encode("utf-8", "replace")) for language, _, new, _ in rows])
    parsed, broken, all_of = Counter[str](), Counter[str](), Counter[str]()
    kinds, kinds_broken = Counter[str](), Counter[str]()
    for (language, _, _, told), before, now in zip(rows, errors, errors_after, strict=True):
        all_of[language] += 1
        if before is None or before.number or now is None:
            continue
        parsed[language] += 1
        names = {one.kind for one in told}
        kinds.update(names)
        if now.number:
            broken[language] += 1
            kinds_broken.update(names)
    size = parsed.total()
    return {
        "changed": all_of.total(),
        "parsed before": size,
        "still parse": size - broken.total(),
        "share": (size - broken.total()) / max(size, 1),
        "broken by language": {name: [broken[name], parsed[name]] for name, _ in parsed.most_common() if broken[name]},
        "broken by kind": {name: [kinds_broken[name], kinds[name]] for name, _ in kinds.most_common()},
    }
