"""The report of a tokenizer as a page for a terminal."""

from collections.abc import Iterator, Sequence
from typing import Final

from starloom.progress import counted, human
from starloom.tokens.tokenizer import Tokenizer
from starloom.tokens.tokenizer_report import HARDLY, Fit, Language, Other, Report, Token, spelled

_LANGUAGES: Final = 20  # shown one by one
_TOKENS: Final = 10  # of a list
_WIDTH: Final = 56  # characters of a token
_NAME: Final = 18  # characters of a tokenizer's name


def page(where: str, report: Report, others: Sequence[Other], own: Tokenizer | None) -> str:
    """`where`: what the tokenizer is called; `own`: it, where private tokens are to be shown as they are spelled."""
    return "\n".join(_lines(where, report, others, own))


def _lines(where: str, report: Report, others: Sequence[Other], own: Tokenizer | None) -> Iterator[str]:
    yield f"{where}: {report.vocabulary:,} tokens"
    measured = sum(one.measured for one in report.fit.languages)
    split = report.split.replace("_", "-")
    text = f"{counted(report.files, 'files')}, {human(measured, 'bytes')}"
    yield ""
    if measured:
        yield f"Bytes per token on {split} text ({text} of {human(_whole(report.fit), 'bytes')})"
        yield ""
        yield from _fits([("this one", report.fit), *((one.name, one.fit) for one in others)])
        yield from _lossy([("this one", report.fit), *((one.name, one.fit) for one in others)])
    else:
        yield "Nothing to measure it on: the dataset is empty"
    if others:
        yield ""
        for one in others:
            yield f"{_cut(one.name, _NAME)}: {one.vocabulary:,} tokens, {one.shared:,} of them the same as here"
    yield ""
    yield (
        f"Use by a sample of {counted(report.sample_files, 'files')}, {human(report.sample_bytes, 'bytes')}, "
        f"{counted(report.sample_repositories, 'repositories')}: of {report.learnt:,} tokens of two bytes and more"
    )
    for number, what in (
        (report.never_used, "are never used"),
        (report.hardly_used, f"are used fewer than {HARDLY} times"),
        (report.one_repository, "are used by one repository alone"),
        (len(report.private), "look private"),
    ):
        yield f"  {number:>9,} {_percent(number, report.learnt):>7}  {what}"
    for title, tokens in (
        ("Longest", report.longest[: _TOKENS // 2]),
        ("Longest of letters", report.longest_words),
        ("Rarest", report.rarest),
        ("Used by one repository alone", report.of_one_repository),
        ("Looks private: a secret, an address, a name", report.private),
    ):
        if tokens:
            yield ""
            yield from _tokens(title, tokens, own)
    if report.private and own is None:
        yield "  (masked; --raw shows them)"


def _fits(fits: Sequence[tuple[str, Fit]]) -> Iterator[str]:
    """A row a language, a column a tokenizer."""
    own = fits[0][1]
    tables = [{one.language: one for one in fit.languages} for _, fit in fits]
    rows = [("all", _whole(own), [fit.bytes_per_token for _, fit in fits])]
    shown = [one for one in own.languages if one.measured][:_LANGUAGES]
    for one in shown:
        rates = [table[one.language].bytes_per_token for table in tables]
        rows.append((one.language or "(none told)", one.bytes, rates))
    rest = [one for one in own.languages if one.measured][_LANGUAGES:]
    if rest:
        names = {one.language for one in rest}
        rates = [_rate([one for one in fit.languages if one.language in names]) for _, fit in fits]
        rows.append((f"{len(rest)} more", sum(one.bytes for one in rest), rates))
    width = max(len(name) for name, _, _ in rows)
    columns = [max(8, len(_cut(name, _NAME))) for name, _ in fits]
    heads = "  ".join(f"{_cut(name, _NAME):>{column}}" for (name, _), column in zip(fits, columns, strict=True))
    yield f"  {'':<{width}}  {'text':>7}  {heads}"
    for name, size, rates in rows:
        cells = "  ".join(f"{rate:>{column}.2f}" for rate, column in zip(rates, columns, strict=True))
        yield f"  {name:<{width}}  {_percent(size, _whole(own)):>7}  {cells}"


def _rate(languages: Sequence[Language]) -> float:
    """As `Fit.bytes_per_token`, of some languages."""
    some = [one for one in languages if one.tokens]
    tokens = sum(one.bytes * one.tokens / one.measured for one in some)
    return sum(one.bytes for one in some) / tokens if tokens else 0.0


def _lossy(fits: Sequence[tuple[str, Fit]]) -> Iterator[str]:
    lossy = [(name, fit.lossy_files) for name, fit in fits if fit.lossy_files]
    yield ""
    for name, files in lossy:
        yield f"  {_cut(name, _NAME)}: {counted(files, 'files')} do not come back from their tokens"
    if not lossy:
        yield "  Every file comes back from its tokens, byte by byte"


def _tokens(title: str, tokens: Sequence[Token], own: Tokenizer | None) -> Iterator[str]:
    shown = tokens[:_TOKENS]
    of = f" ({len(shown)} of {len(tokens)})" if title.startswith("Looks") and len(tokens) > len(shown) else ""
    yield f"{title}{of}"
    for one in shown:
        text = spelled(own.token_bytes(one.id)) if one.private and own else one.text
        within = f", {one.private_uses:,} of them private" if one.private_uses else ""
        uses = f"{counted(one.uses, 'uses')}{within}, {counted(one.repositories, 'repositories')}"
        yield f"  {one.id:>7}  {counted(one.bytes, 'bytes'):>9}  {_quoted(text)}  {uses}"


def _quoted(text: str) -> str:
    return f"{'|' + _cut(text, _WIDTH) + '|':<{_WIDTH + 2}}"


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


def _percent(part: float, whole: float) -> str:
    return f"{100 * part / whole:.1f} %" if whole else ""


def _whole(fit: Fit) -> int:
    return sum(one.bytes for one in fit.languages)
