"""An answer for a person at a terminal. Text and names are shown through `excerpt` and `printable`."""

from textwrap import dedent

from starloom.membership.check import GUARANTEE, Check, Match, MatchedFile
from starloom.membership.given import Given
from starloom.outside.paths import printable
from starloom.privacy.hidden import hidden
from starloom.privacy.redact import excerpt
from starloom.progress import counted

FILES = 5  # shown of each match, unless all is asked for, as these are
_MATCHES, _LINES = 10, 4


def about_text(given: Given, found: Check, everything: bool) -> str:
    """The matches of one text, with the files that have them."""
    if not found.matches:
        note = f" (a copy of {GUARANTEE} or more characters would be found, re-indented or not)"
        return f"{printable(given.path)}: {found.verdict}" + (note if found.verdict.startswith("no match") else "")
    share = f"{100 * found.coverage:.1f} % of {counted(found.characters, 'characters')}"
    parts = [f"{printable(given.path)}: {found.verdict}, {share}, {1000 * found.seconds:.1f} ms"]
    telling = found.matches if everything else (list(filter(_tells, found.matches)) or found.matches)
    shown = telling if everything else telling[:_MATCHES]
    parts += [_match(given.text or "", match, everything) for match in shown]
    left = []
    if more := len(telling) - len(shown):
        left.append(counted(more, "more matches"))
    if other := len(found.matches) - len(telling):
        left.append(f"{counted(other, 'matches')} below {GUARANTEE} characters or that many files share")
    if left:
        parts.append(f"left out: {' and '.join(left)}; --all shows everything")
    return "\n\n".join(parts)


def about_folder(answers: list[tuple[Given, Check | None]], everything: bool) -> str:
    """A line for each text with a match that tells something, the most covered first, and what became of the others."""
    matched = [(given, found) for given, found in answers if found and found.matches]
    telling = [one for one in matched if everything or any(map(_tells, one[1].matches))]
    telling.sort(key=lambda one: (-one[1].coverage, one[0].path))
    shown = telling if everything else telling[: 5 * _MATCHES]
    lines = [_line(given, found) for given, found in shown]
    if len(telling) > len(shown):
        lines.append(f"and {len(telling) - len(shown):,} more; --all shows everything")
    checked = [found for _, found in answers if found]
    told = [f"{counted(len(telling), 'files')} of {len(answers):,} with a match"]
    if slight := len(matched) - len(telling):
        told.append(f"{slight:,} with slight ones only (below {GUARANTEE} characters, or that many files share)")
    if short := sum(found.verdict.startswith("not") for found in checked):
        told.append(f"{short:,} too short")
    if unread := len(answers) - len(checked):
        told.append(f"{unread:,} not read (no text, or unreadable)")
    covered = f"{100 * coverage(checked):.1f} % of the text, against {_covered(checked)}"
    return "\n".join([*lines, *([""] if lines else []), f"{', '.join(told)}: {covered}"])


def _tells(match: Match) -> bool:
    """Whether a match is more than an import or a licence header that many files have."""
    return match.characters >= GUARANTEE and not match.common


def coverage(found: list[Check]) -> float:
    """The share of all their characters that is in a match."""
    characters = sum(one.characters for one in found)
    return sum(one.coverage * one.characters for one in found) / characters if characters else 0.0


def _covered(found: list[Check]) -> str:
    return f"the {counted(found[0].repositories, 'repositories')} indexed" if found else "nothing"


def _line(given: Given, found: Check) -> str:
    match = found.matches[0]
    where = _place(match.files[0])
    return f"{100 * found.coverage:5.1f} %  {printable(given.path)}  {where}" + ("  (common)" if match.common else "")


def _match(text: str, match: Match, everything: bool) -> str:
    common = "; many files share it" if match.common else ""
    head = f"{_lines(match.first_line, match.last_line)}: {counted(match.characters, 'characters')}, in "
    lines = [head + counted(match.total, "files") + common]
    shown = match.files if everything else match.files[:FILES]
    lines += [f"    {_place(file)}" for file in shown]
    if match.total > len(shown):
        lines.append(f"    and {match.total - len(shown):,} more")
    code = dedent(_from_line(text, match.start, match.end))
    code = excerpt(code, hidden(code), max_lines=_LINES, max_chars=80 * _LINES)
    return "\n".join([*lines, *(f"  | {line}" for line in code.splitlines())])


def _from_line(text: str, start: int, end: int) -> str:
    """The stretch with the blanks before it on its line: a match begins after them."""
    line = text.rfind("\n", 0, start) + 1
    return text[line if text[line:start].isspace() else start : end]


def _place(file: MatchedFile) -> str:
    """`REPOSITORY:PATH, line(s)`, its licence, and what of the dataset it is."""
    name = ", ".join(file.detected_licenses) or "licence unknown"
    kind = (file.license_type or "").replace("_", " ")
    licence = f"{name} ({kind})" if kind else name
    split = file.split.replace("_", " ") if file.in_dataset else f"a copy of a file in {file.split.replace('_', ' ')}"
    where = f"{file.repo_name}:{file.path}, {_lines(file.first_line, file.last_line)}"
    return f"{printable(where)}  {printable(licence)}  {split}"


def _lines(first: int, last: int) -> str:
    return f"line {first:,}" if first == last else f"lines {first:,} to {last:,}"
