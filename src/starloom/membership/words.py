"""An answer for a person at a terminal. Text and names are shown through `excerpt` and `printable`."""

from textwrap import dedent

from starloom.membership import license_of
from starloom.membership.answers import Answer
from starloom.membership.batch import Batch, Sample
from starloom.membership.gate import Failure, Judgement
from starloom.membership.given import Given
from starloom.membership.matches import Check, Match, MatchedFile, lines_of
from starloom.membership.whole import Part, Whole, ordered, tells
from starloom.outside.paths import printable
from starloom.privacy.hidden import hidden
from starloom.privacy.redact import excerpt
from starloom.progress import counted

FILES = 5  # shown of each match, unless all is asked for, as these are
_MATCHES, _LINES, _PARTS = 10, 4, 8


def about_text(given: Given, found: Check, everything: bool, raw: bool = False) -> str:
    """The matches of one text, with the files that have them. `raw`: what is private in it is shown too."""
    if not found.matches:
        note = f" (a copy of {found.guarantee} or more characters would be found, re-indented or not)"
        return f"{printable(given.path)}: {found.verdict}" + (note if found.status == "no_match" else "")
    characters = counted(found.characters, "characters") + (" added" if given.added is not None else "")
    share = _share(found.coverage, found.coverage_with_renamed, characters)
    parts = [f"{printable(given.path)}: {found.verdict}, {share}, {1000 * found.seconds:.1f} ms"]
    telling = [match for match in found.matches if everything or tells(match, found)] or found.matches
    shown = telling if everything else telling[:_MATCHES]
    parts += [_match(given.text or "", match, everything, raw) for match in shown]
    left = []
    if more := len(telling) - len(shown):
        left.append(counted(more, "more matches"))
    if other := len(found.matches) - len(telling):
        left.append(f"{counted(other, 'matches')} below {found.guarantee} characters or that many files share")
    if left:
        parts.append(f"left out: {' and '.join(left)}; --all shows everything")
    if found.licenses and given.added is None:
        licenses = found.licenses if everything else found.licenses[:_PARTS]
        shares = [f"{one.name} ({100 * one.characters / found.characters:.1f} %)" for one in licenses]
        rest = " …" if len(licenses) < len(found.licenses) else ""
        parts.append(f"licences: {printable('; '.join(shares))}{rest}")
    return "\n\n".join(parts)


def about_nothing(given: Given) -> str:
    """What is no text, or too large: nothing is known of it."""
    return f"{printable(given.path)}: not covered: {printable(given.problem)}"


def about_texts(answers: list[Answer], total: Whole, covered: str, everything: bool) -> str:
    """A line for each text with a match that tells something, the most covered first, and what became of the others;
    then the licences and repositories involved."""
    matched = [one for one in answers if one.found and one.found.matches]
    telling = [one for one in matched if everything or _tells(one)]
    telling.sort(key=lambda one: (-(one.found.coverage if one.found else 0), one.given.path, one.given.first_line))
    shown = telling if everything else telling[: 5 * _MATCHES]
    lines = [_line(one.given, one.found) for one in shown if one.found]
    if len(telling) > len(shown):
        lines.append(f"and {len(telling) - len(shown):,} more; --all shows everything")
    blocks = ["\n".join(lines)] if lines else []
    closed = [one.given for one in answers if one.given.unreadable]
    lines = [about_nothing(one) for one in (closed if everything else closed[:_MATCHES])]
    if len(closed) > len(lines):
        lines.append(f"and {len(closed) - len(lines):,} more that cannot be read; --all shows everything")
    blocks += ["\n".join(lines)] if lines else []
    return "\n\n".join([*blocks, *_parts(total, everything), _sums(total, covered)])


def about_diff(answers: list[Answer], total: Whole, covered: str, everything: bool, raw: bool = False) -> str:
    """Every match among the added lines that tells something, and the sums."""
    blocks = [
        about_text(one.given, one.found, everything, raw)
        for one in answers
        if one.found and one.found.matches and (everything or _tells(one))
    ]
    paths = {one.given.path for one in answers}
    noun = "files" if len(paths) == len(answers) else "hunks"
    return "\n\n".join([*blocks, *_parts(total, everything), _sums(total, covered, noun)])


def about_batch(batch: Batch, covered: str, everything: bool) -> str:
    """The samples with a match that tells something, the longest first, and the sums."""
    matched = sorted((one for one in batch.samples if one.matched), key=lambda one: (-one.longest, one.line))
    shown = matched if everything else matched[: 2 * _MATCHES]
    lines = [_sample(one) for one in shown]
    if len(matched) > len(shown):
        lines.append(f"and {len(matched) - len(shown):,} more; --all shows everything")
    tasks = batch.tasks
    some = sum(map(bool, tasks.values()))
    told = f"{counted(some, 'tasks')} of {len(tasks):,} with at least one such sample"
    blocks = ["\n".join(lines)] if lines else []
    return "\n\n".join([*blocks, *_parts(batch.whole, everything), f"{_sums(batch.whole, covered, 'samples')}\n{told}"])


def about_gate(judgement: Judgement, everything: bool) -> str:
    """What failed, where, and under which licence; empty where nothing did."""
    failures = judgement.failures
    shown = failures if everything else failures[:_MATCHES]
    lines = [_failure(one) for one in shown]
    if len(failures) > len(shown):
        lines.append(f"and {len(failures) - len(shown):,} more; --all shows everything")
    head = []
    if failures:
        kinds = ", ".join(dict.fromkeys(kind for one in failures for kind in one.kinds))
        head.append(f"{counted(len(failures), 'matches')} that must not be ({printable(kinds)})")
    if judgement.partial:
        head.append(f"{counted(judgement.partial, 'texts')} of which a part of the index alone could be asked")
    return "\n".join([" and ".join(head), *lines])


def _tells(answer: Answer) -> bool:
    found = answer.found
    return found is not None and any(tells(match, found) for match in found.matches)


def _sums(total: Whole, covered: str, noun: str = "files") -> str:
    told = [f"{counted(total.matched, noun)} of {total.texts:,} with a match"]
    if total.slight:
        what = f"below {total.guarantee} characters, or that many files share"
        told.append(f"{total.slight:,} with slight ones only ({what})")
    if total.short:
        told.append(f"{total.short:,} too short")
    if total.unread:
        told.append(f"{total.unread:,} not read (no text, too large, or unreadable)")
    if total.partial:
        told.append(f"{total.partial:,} asked of a part of the index alone")
    if total.identical:
        are = "is, to the byte, a file" if total.identical == 1 else "are, to the byte, files"
        told.append(f"{total.identical:,} of all {total.texts:,} {are} of the data")
    either = total.covered_with_renamed / max(total.characters, 1)
    share = _share(total.coverage, either, counted(total.characters, "characters"))
    return f"{', '.join(told)}: {share}, against {covered}"


def _share(exact: float, either: float, characters: str) -> str:
    renamed = f" ({100 * either:.1f} % with renamed copies)" if either > exact else ""
    return f"{100 * exact:.1f} % of {characters}{renamed}"


def _parts(total: Whole, everything: bool) -> list[str]:
    """Tables of the licences and the repositories, the largest first."""
    if not total.licenses:
        return []
    tables = []
    for head, parts in (("licences", total.licenses), ("repositories", total.repositories)):
        rows = ordered(parts)
        shown = rows if everything else rows[:_PARTS]
        lines = [head, *(f"  {_part(part, total)}  {printable(name)}" for name, part in shown)]
        if len(rows) > len(shown):
            lines.append(f"  and {len(rows) - len(shown):,} more; --all shows everything")
        tables.append("\n".join(lines))
    return tables


def _part(part: Part, total: Whole) -> str:
    share = 100 * part.characters / total.characters if total.characters else 0.0
    return f"{share:5.1f} %  {part.characters:>10,} characters in {part.texts:,}"


def _line(given: Given, found: Check) -> str:
    match = found.matches[0]
    where = _place(match.files[0]) if match.files else counted(match.total, "files")
    lines = f", {lines_of(match.first_line, match.last_line)}" if given.added is not None else ""
    return f"{100 * found.coverage:5.1f} %  {printable(given.path)}{lines}  {where}" + _remark(match)


def _remark(match: Match) -> str:
    told = [match.reason or "common"] if match.common else []
    told += ["names changed"] if match.kind == "renamed" else []
    return f"  ({', '.join(told)})" if told else ""


def _sample(one: Sample) -> str:
    licenses = "; ".join(one.licenses[:3]) + (" …" if len(one.licenses) > 3 else "")
    where = f"{printable(one.task_id)}, sample {one.sample}"
    more = f" and {len(one.repositories) - 1:,} more" if len(one.repositories) > 1 else ""
    return (
        f"{100 * one.coverage:5.1f} %  {where}: {counted(one.longest, 'characters')} at most, in "
        f"{printable(''.join(one.repositories[:1]))}{more}  {printable(licenses)}"
    )


def _failure(one: Failure) -> str:
    where = f"{printable(one.given.place)}:{one.match.first_line}-{one.match.last_line}"
    more = f" and {one.match.total - 1:,} more" if one.match.total > 1 else ""
    names = ", ".join(licensed.name for licensed in one.licenses) or "what is not here"
    where_from = _place(one.files[0]) if one.files else f"files under {printable(names)}"
    kind = "" if one.match.kind == "exact" else f" ({one.match.kind})"
    return f"{where}  {counted(one.match.characters, 'characters')}{kind}, in {where_from}{more}"


def _match(text: str, match: Match, everything: bool, raw: bool) -> str:
    common = f"; {match.reason or 'many files share it'}" if match.common or match.kind == "renamed" else ""
    renamed = " with other names" if match.kind == "renamed" else ""
    head = f"{lines_of(match.first_line, match.last_line)}: {counted(match.characters, 'characters')}{renamed}, in "
    lines = [head + counted(match.total, "files") + common]
    shown = match.files if everything else match.files[:FILES]
    for file in shown:
        lines.append(f"    {_place(file)}")
        if file.permalink:
            lines.append(f"      {printable(file.permalink)}")
    if match.total > len(shown):
        lines.append(f"    and {match.total - len(shown):,} more")
    code = dedent(_from_line(text, match.start, match.end))
    code = excerpt(code, [] if raw else hidden(code), max_lines=_LINES, max_chars=80 * _LINES)
    return "\n".join([*lines, *(f"  | {line}" for line in code.splitlines())])


def _from_line(text: str, start: int, end: int) -> str:
    """The stretch with the blanks before it on its line: a match begins after them."""
    line = text.rfind("\n", 0, start) + 1
    return text[line if text[line:start].isspace() else start : end]


def _place(file: MatchedFile) -> str:
    """`REPOSITORY:PATH, line(s)`, its licence, and what of the dataset it is."""
    licence = license_of.name(file)
    if file.detected_licenses and file.license_type:
        licence += f" ({file.license_type.replace('_', ' ')})"
    elif not file.detected_licenses and file.license_type != "no_license":
        licence = f"licence {licence}"
    split = file.split.replace("_", " ") if file.in_dataset else f"a copy of a file in {file.split.replace('_', ' ')}"
    where = f"{file.repo_name}:{file.path}, {lines_of(file.first_line, file.last_line)}"
    return f"{printable(where)}  {printable(licence)}  {split}"
