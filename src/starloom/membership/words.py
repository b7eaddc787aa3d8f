"""An answer for a person at a terminal. Text and names are shown through `excerpt` and `printable`."""

from starloom.membership.check import GUARANTEE, Check, Match, MatchedFile
from starloom.membership.given import Given
from starloom.outside.paths import printable
from starloom.privacy.redact import excerpt
from starloom.progress import counted

_MATCHES, _FILES, _LINES = 10, 5, 4  # shown, unless all is asked for


def about_text(given: Given, found: Check, everything: bool) -> str:
    """The matches of one text, with the files that have them."""
    if not found.matches:
        note = f" (a copy of {GUARANTEE} or more characters would be found, re-indented or not)"
        return f"{printable(given.path)}: {found.verdict}" + (note if found.verdict.startswith("no match") else "")
    share = f"{100 * found.coverage:.1f} % of {counted(found.characters, 'characters')}"
    parts = [f"{printable(given.path)}: {found.verdict}, {share}, {1000 * found.seconds:.1f} ms"]
    special = [match for match in found.matches if everything or not match.common]
    parts += [_match(given.text or "", match, everything) for match in special[: None if everything else _MATCHES]]
    left = []
    if not everything and len(special) > _MATCHES:
        left.append(f"{counted(len(special) - _MATCHES, 'more matches')}")
    if common := len(found.matches) - len(special):
        left.append(f"{counted(common, 'matches')} that many files share (licence headers, boilerplate)")
    if left:
        parts.append(f"left out: {' and '.join(left)}; --all shows everything")
    return "\n\n".join(parts)


def about_folder(answers: list[tuple[Given, Check | None]], everything: bool) -> str:
    """A line for each text with a match, the most covered first, and what became of the others."""
    hit = [(given, found) for given, found in answers if found and found.matches]
    hit.sort(key=lambda one: (-one[1].coverage, one[0].path))
    shown = hit if everything else hit[: 5 * _MATCHES]
    lines = [_line(given, found) for given, found in shown]
    if len(hit) > len(shown):
        lines.append(f"and {len(hit) - len(shown):,} more; --all shows everything")
    checked = [found for _, found in answers if found]
    told = [f"{counted(len(hit), 'files')} of {len(answers):,} with a match"]
    if short := sum(found.verdict.startswith("not") for found in checked):
        told.append(f"{short:,} too short")
    if unread := len(answers) - len(checked):
        told.append(f"{unread:,} not read (no text, or unreadable)")
    covered = f"{100 * coverage(checked):.1f} % of the text, against {_covered(checked)}"
    return "\n".join([*lines, *([""] if lines else []), f"{', '.join(told)}: {covered}"])


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
    shown = match.files if everything else match.files[:_FILES]
    lines += [f"    {_place(file)}" for file in shown]
    if match.total > len(shown):
        lines.append(f"    and {match.total - len(shown):,} more")
    code = excerpt(text[match.start : match.end], max_lines=_LINES, max_chars=80 * _LINES)
    return "\n".join([*lines, *(f"  | {line}" for line in code.splitlines())])


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
