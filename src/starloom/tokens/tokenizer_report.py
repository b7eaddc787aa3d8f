"""What a tokenizer is worth, and what is in it: measured by the stage, kept as tokenizer/report.json.

- Bytes per token on held-out text, by language and as a whole. Of each language the same amount is measured, or what
  there is; the whole is as if all had been. Text that `write` replaced by a marker counts on neither side.
- What the sample it was learnt from makes of its vocabulary: tokens that are hardly used, that one repository alone
  uses, the longest ones, and those that look private (token_use.py), which are named by number and kind only.

The same text is measured again for another tokenizer (`compare`). No times: the same workspace gives the same report.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from starloom import progress
from starloom.errors import UserError
from starloom.outside.paths import printable
from starloom.privacy.finding import Kind
from starloom.settings import load
from starloom.the_stack import tables
from starloom.tokens import sampling
from starloom.tokens.hub_format import FOLDER
from starloom.tokens.sampling import Files
from starloom.tokens.special_tokens import SPECIAL_IDS
from starloom.tokens.token_use import TokenUse, private_by_looks
from starloom.tokens.tokenizer import Tokenizer
from starloom.workspace.manifest import open_folder

FILE: Final = "report.json"
_FORMAT: Final = 1
_MEASURED: Final = 16_000_000  # bytes of text on which bytes per token are measured, all languages together
_LISTED: Final = 20  # tokens of a list
_MOST_PRIVATE: Final = 1_000
HARDLY: Final = 10  # uses; fewer is hardly used


@dataclass(frozen=True)
class Language:
    """One language of the text measured. `bytes`: of the whole split; `measured`: those that were encoded."""

    language: str
    bytes: int
    measured: int
    tokens: int

    @property
    def bytes_per_token(self) -> float:
        return self.measured / self.tokens if self.tokens else 0.0


@dataclass(frozen=True)
class Fit:
    """How well a tokenizer fits a text."""

    bytes_per_token: float  # of the whole split, were all of it measured
    languages: tuple[Language, ...]  # the largest first
    lossy_files: int  # that do not come back from their tokens


@dataclass(frozen=True)
class Token:
    """One token. `text`: for a terminal; `private`: its kind, where it looks private, and then `text` is a mask."""

    id: int
    text: str
    bytes: int
    uses: int
    repositories: int
    private: str = ""
    private_uses: int = 0  # within what is private


@dataclass(frozen=True)
class Report:
    """tokenizer/report.json."""

    format: int
    tokenizer: str  # sha256 of tokenizer.json
    vocabulary: int
    split: str  # measured on
    seed: int
    files: int  # measured
    text: str  # stands for which files those are
    fit: Fit
    sample_files: int
    sample_bytes: int
    sample_tokens: int
    sample_repositories: int
    learnt: int  # tokens of two bytes and more that are no special ones: those that the next numbers are about
    never_used: int
    hardly_used: int  # fewer than HARDLY times, the never used ones among them
    one_repository: int  # used by one repository alone, HARDLY times or more; 0 where the sample has only one
    longest: tuple[Token, ...]
    longest_words: tuple[Token, ...]  # of letters alone, and a space before them
    rarest: tuple[Token, ...]
    of_one_repository: tuple[Token, ...]
    private: tuple[Token, ...]

    def to_bytes(self) -> bytes:
        return (json.dumps(asdict(self), ensure_ascii=False, indent=1) + "\n").encode()


@dataclass(frozen=True)
class Other:
    """Another tokenizer on the same text."""

    name: str
    tokenizer: str
    vocabulary: int
    shared: int  # tokens that both have, by their bytes
    fit: Fit


def measure(root: Path, tokenizer: Tokenizer, sample: tuple[Files, NDArray[np.bool_]], seed: int) -> Report:
    """The report of a tokenizer. `sample`: the files of the train split, and which of them its use is counted on."""
    use = _use(tokenizer, *sample)
    split, files, chosen = _text(root, seed)
    fit = _fit(tokenizer, files, chosen, "measuring the tokenizer")
    single = np.array([len(tokenizer.token_bytes(number)) for number in range(tokenizer.vocabulary)]) < 2
    single[list(tokenizer.added)] = True
    learnt = np.flatnonzero(~single)
    uses, repositories = use.uses[learnt], use.repositories[learnt]
    alone = (uses >= HARDLY) & (repositories == 1) & (use.all_repositories > 1)
    tokens = _Tokens(tokenizer, use)
    lengths = np.array([len(tokenizer.token_bytes(int(number))) for number in learnt], dtype=np.int64)
    words = np.array([_is_word(tokenizer.token_bytes(int(number))) for number in learnt], dtype=np.int64)
    return Report(
        format=_FORMAT,
        tokenizer=tokenizer.sha256,
        vocabulary=tokenizer.vocabulary,
        split=split,
        seed=seed,
        files=int(chosen.sum()),
        text=_digest(files, chosen),
        fit=fit,
        sample_files=use.files,
        sample_bytes=use.bytes,
        sample_tokens=use.tokens,
        sample_repositories=use.all_repositories,
        learnt=len(learnt),
        never_used=int((uses == 0).sum()),
        hardly_used=int((uses < HARDLY).sum()),
        one_repository=int(alone.sum()),
        longest_words=tokens.of(learnt[np.argsort(-lengths * words, kind="stable")][: min(_LISTED, int(words.sum()))]),
        longest=tokens.of(learnt[np.argsort(-lengths, kind="stable")][:_LISTED]),
        rarest=tokens.of(learnt[np.argsort(uses, kind="stable")][:_LISTED]),
        of_one_repository=tokens.of(learnt[alone][np.argsort(-uses[alone], kind="stable")][:_LISTED]),
        private=tokens.private(),
    )


def compare(root: Path, report: Report, folders: Sequence[Path], own: Tokenizer) -> list[Other]:
    """Other tokenizers on the text that `report` was measured on. Raises UserError when one cannot be opened, or that
    text is not there any more."""
    others = [Tokenizer.open(folder, needs_end=False) for folder in folders]
    split, files, chosen = _text(root, report.seed)
    if (split, _digest(files, chosen)) != (report.split, report.text):
        raise UserError(
            f"{root / tables.DATASET} has changed since {root / FOLDER} was measured",
            "run `starloom tokenizer`, then compare",
        )
    found = []
    for folder, other in zip(folders, others, strict=True):
        name = folder.resolve().name
        shared = len(_spellings(own) & _spellings(other))
        fit = _fit(other, files, chosen, f"measuring {name}")
        found.append(Other(printable(name), other.sha256, other.vocabulary, shared, fit))
    return found


def read_report(root: Path) -> Report:
    """The report of the workspace's tokenizer. Raises UserError when there is none."""
    folder = root / FOLDER
    again = "run `starloom tokenizer`"
    if open_folder(folder) is None:
        raise UserError(f"{folder} is missing", again)
    try:
        table = json.loads((folder / FILE).read_bytes())
        if table["format"] != _FORMAT:
            raise ValueError
        return load(table, Report, str(folder / FILE))
    except FileNotFoundError:
        raise UserError(f"{folder} has no report: an older Starloom made it", again) from None
    except (OSError, ValueError, KeyError, TypeError, RecursionError, UserError):
        raise UserError(f"{folder / FILE} is no report of this Starloom's", again) from None


def to_json(report: Report, others: Sequence[Other], own: Tokenizer | None) -> dict[str, Any]:
    """For programs; `own`: the tokenizer, where private tokens are to be told as they are spelled."""
    table = asdict(report)
    for name in ("longest", "longest_words", "rarest", "of_one_repository", "private"):
        for one in table[name]:
            if one["private"] and own:
                one["text"] = spelled(own.token_bytes(one["id"]))
    return {**table, "compared": [asdict(one) for one in others]}


def _text(root: Path, seed: int) -> tuple[str, Files, NDArray[np.bool_]]:
    """What is measured: held-out text, which no tokenizer was trained on; the train split where there is none."""
    for split in ("held_out", "train"):
        files = sampling.files_of(tables.dataset(root, "files", split), seed)
        if len(files.sizes):
            break
    return split, files, sampling.draw(files, sampling.evenly(files, _MEASURED), seed)


def _digest(files: Files, chosen: NDArray[np.bool_]) -> str:
    return hashlib.sha256(np.sort(files.keys[chosen]).astype("<u8").tobytes()).hexdigest()


def _fit(tokenizer: Tokenizer, files: Files, chosen: NDArray[np.bool_], name: str) -> Fit:
    measured = np.zeros(len(files.languages), dtype=np.int64)
    tokens = np.zeros(len(files.languages), dtype=np.int64)
    lossy = 0
    with progress.task(name, float(files.sizes[chosen].sum())) as task:
        for batch in sampling.read(files, chosen, SPECIAL_IDS):
            strings = [one for text in batch for one in text.strings]
            ids, bounds = tokenizer.encode_arrays(strings)
            encoded = iter(np.split(ids, bounds[1:-1]) if strings else ())
            for text in batch:
                number = files.languages.index(text.language)
                pairs = [(one, next(encoded)) for one in text.strings]
                size = sum(len(one.encode()) for one, _ in pairs)
                measured[number] += size
                tokens[number] += sum(len(ids) for _, ids in pairs)
                lossy += any(tokenizer.decode(ids.tolist()) != one for one, ids in pairs)
                task.advance(size)
    whole = files.available.sum(axis=0)
    known = (measured > 0) & (tokens > 0)
    estimate = (whole[known] * tokens[known] / measured[known]).sum()
    order = sorted(range(len(whole)), key=lambda number: (-whole[number], files.languages[number]))
    languages = tuple(
        Language(files.languages[number], int(whole[number]), int(measured[number]), int(tokens[number]))
        for number in order
    )
    return Fit(round(float(whole[known].sum() / estimate), 4) if known.any() else 0.0, languages, lossy)


def _use(tokenizer: Tokenizer, files: Files, chosen: NDArray[np.bool_]) -> TokenUse:
    use = TokenUse(tokenizer)
    with progress.task("counting tokens", float(files.sizes[chosen].sum())) as task:
        for batch in sampling.read(files, chosen, SPECIAL_IDS):
            before = use.bytes
            use.add(batch)
            task.advance(use.bytes - before)
    use.finish()
    return use


class _Tokens:
    """Tokens as the report names them."""

    def __init__(self, tokenizer: Tokenizer, use: TokenUse) -> None:
        self._tokenizer, self._use = tokenizer, use
        self._private: dict[int, tuple[Kind, int]] = {
            number: (kind, uses) for number, kind, uses in use.private_by_use() if number not in tokenizer.added
        }
        within = use.private.sum(axis=0)
        for number, kind in private_by_looks(tokenizer):
            self._private[number] = kind, int(within[number])

    def of(self, numbers: NDArray[np.int64]) -> tuple[Token, ...]:
        return tuple(map(self._one, numbers.tolist()))

    def private(self) -> tuple[Token, ...]:
        """The most used ones first."""
        order = sorted(self._private, key=lambda number: (-int(self._use.uses[number]), number))
        return tuple(map(self._one, order[:_MOST_PRIVATE]))

    def _one(self, number: int) -> Token:
        data = self._tokenizer.token_bytes(number)
        kind, within = self._private.get(number, ("", 0))
        return Token(
            id=number,
            text=f"<{kind}>" if kind else spelled(data),
            bytes=len(data),
            uses=int(self._use.uses[number]),
            repositories=int(self._use.repositories[number]),
            private=kind,
            private_uses=within,
        )


def spelled(data: bytes) -> str:
    r"""The bytes of a token for a terminal.

    >>> spelled(b"\n\tx"), spelled("é".encode()[:1])
    ('\\n\\tx', '\\xc3')
    """
    text = data.decode("utf-8", "backslashreplace")
    return printable(text.replace("\r", "\\r").replace("\n", "\\n").replace("\t", "\\t"))


def _is_word(data: bytes) -> bool:
    return data.decode("utf-8", "replace").removeprefix(" ").isalpha()


def _spellings(tokenizer: Tokenizer) -> set[bytes]:
    return {tokenizer.token_bytes(number) for number in range(tokenizer.vocabulary)} - {b""}
