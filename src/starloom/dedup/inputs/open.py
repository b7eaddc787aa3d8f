"""Opens what a person names: which form it is, which column holds the texts, which makes the ids.

A folder is walked once. It is a data set where its Parquet and JSON lines weigh more than what else it has, and have a
column of texts. Of the rest of a data set nothing is read; files beside its rows (a README, a licence) are no news.
"""

import os
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path

from starloom.dedup.inputs.folder import Found, files_below, stage_folder
from starloom.dedup.inputs.lines import lines_fields, stage_lines
from starloom.dedup.inputs.parquet import open_parquet, parquet_fields
from starloom.dedup.inputs.part import LeftOut, Part, id_columns, unreadable
from starloom.dedup.inputs.texts import Input
from starloom.errors import UserError
from starloom.outside import lfs
from starloom.outside.json_lines import is_packed
from starloom.outside.paths import text_path
from starloom.settings import nearest

CONTENT = ("content", "text", "code")  # columns that are taken for the texts, in this order
_HEAD = 1 << 20  # bytes in which a column of texts is named, where there is one
_LINES = re.compile(r".*\.(?:jsonl|ndjson|json)(?:\.gz|\.zst)?", re.IGNORECASE | re.DOTALL)
_SURELY_ROWS = re.compile(r".*\.(?:parquet|(?:jsonl|ndjson)(?:\.gz|\.zst)?)", re.IGNORECASE | re.DOTALL)
_BESIDE = re.compile(  # what lies beside the rows of a data set: neither rows nor source
    r"(?:.*/)?(?:readme.*|licen[cs]e.*|notice.*|\.git.*|dataset_infos?\.json|dataset_dict\.json|state\.json|.*\.(?:md|ya?ml))",
    re.IGNORECASE | re.DOTALL,
)


def open_input(path: Path, scratch: Path, id_column: str | None = None, content_column: str | None = None) -> Input:
    """The file or folder `path`. With a column named, a folder is read as a data set in any case.

    Raises UserError for what cannot be read or is none of the forms above, with file, line and remedy.
    """
    name = text_path(os.fsencode(path))
    scratch.mkdir(parents=True, exist_ok=True)
    try:
        if path.is_dir():
            return _folder(name, path, scratch, id_column, content_column)
        if not path.is_file():
            problem = f"{name} is no regular file" if path.exists() else f"{name} does not exist"
            raise UserError(problem, "give Parquet files, JSON lines, or folders")
        if not _is_parquet(path) and not _LINES.fullmatch(path.name):
            raise UserError(
                f"{name} is neither Parquet nor JSON lines",
                "JSON lines are known by their name: .jsonl, .ndjson, .json, also with .gz or .zst; source files are "
                "given by their folder",
            )
        files = [(text_path(os.fsencode(path.name)), path)]
        parts, left_out = _data_set(name, files, scratch, id_column, content_column)
    except OSError as problem:
        raise unreadable(name, problem) from None
    return Input(name, parts, (text_path(os.fsencode(path.parent)),) * len(parts), left_out)


def open_parquet_files(name: str, files: Sequence[tuple[str, Path]], content: str, ids: tuple[str, ...]) -> Input:
    """Parquet files whose columns are known, each with what it is called: a dataset that was published. Raises
    UserError."""
    parts = tuple(open_parquet(called, file, content, ids) for called, file in files)
    return Input(name, parts, (name,) * len(parts))


def _folder(name: str, folder: Path, scratch: Path, id_column: str | None, content_column: str | None) -> Input:
    left_out: list[LeftOut] = []
    found = files_below(folder, left_out)
    asked = id_column is not None or content_column is not None
    wanted = CONTENT if content_column is None else (content_column,)
    rows = {one: file for one in found if (file := _target(folder, one)) and _is_rows(file, one.raw, wanted)}
    others = [one for one in found if one not in rows and not _BESIDE.fullmatch(text_path(one.raw))]
    files = [(text_path(one.raw), file) for one, file in rows.items()]
    weight = sum(file.stat().st_size for file in rows.values())
    if asked or (weight > sum(one.size for one in others) and _has_texts(files)):
        if not files:
            raise UserError(
                f"{name}: no Parquet and no JSON lines in it, so no columns",
                "a folder of source files is read without --id and --content",
            )
        for one in others:
            kind, reason = (
                ("symbolic link", "leads out of it") if one.is_link else ("no rows", "not Parquet or JSON lines")
            )
            left_out.append(LeftOut(text_path(one.raw), kind, reason))
        parts, without = _data_set(name, files, scratch, id_column, content_column)
        return Input(name, parts, (name,) * len(parts), (*left_out, *without))
    part = stage_folder(folder, found, _staged(scratch), left_out)
    return Input(name, (part,), (name,), tuple(left_out))


def _data_set(
    name: str, files: Sequence[tuple[str, Path]], scratch: Path, id_column: str | None, content_column: str | None
) -> tuple[tuple[Part, ...], tuple[LeftOut, ...]]:
    """The parts that files of rows are, (what to call it, where it lies) each; and the files without the texts."""
    fields = [dict(_fields(called, file)) for called, file in files]
    content = _content(name, fields, content_column)
    if id_column is not None and not any(id_column in one for one in fields):
        raise UserError(
            f"{name} has no column `{id_column}`", nearest(id_column, {key for one in fields for key in one})
        )
    parts: list[Part] = []
    left_out = []
    for (called, file), there in zip(files, fields, strict=True):
        if there and content not in there:
            left_out.append(LeftOut(called, f"no column `{content}`", f"its columns: {', '.join(there)}"))
        elif _is_parquet(file):
            parts.append(open_parquet(called, file, content, id_columns(there, id_column)))
        else:
            parts.append(stage_lines(called, file, content, id_columns(there, id_column), _staged(scratch)))
    return tuple(parts), tuple(left_out)


def _content(name: str, fields: Sequence[dict[str, bool]], asked: str | None) -> str:
    """The column of the texts. Raises UserError that lists those there are."""
    texts = {key for one in fields for key, is_text in one.items() if is_text}
    there = {key for one in fields for key in one}
    if asked is not None:
        if there and asked not in there:
            raise UserError(f"{name} has no column `{asked}`", nearest(asked, there))
        if there and asked not in texts:
            raise UserError(f"{name}: column `{asked}` holds no texts", f"these do: {', '.join(sorted(texts))}")
        return asked
    found = next((one for one in CONTENT if one in texts), None)
    if found is None and there:
        raise UserError(
            f"{name} has no column `content`, `text` or `code`",
            f"name the column of the texts with --content; there are: {', '.join(sorted(there))}",
        )
    return found or CONTENT[0]


def _fields(called: str, file: Path) -> list[tuple[str, bool]]:
    """(column, whether it may hold texts) of a file of rows. Raises UserError."""
    with file.open("rb") as opened:
        if lfs.pointer(opened.read(lfs.MAX_POINTER)):
            raise UserError(f"{called} is a Git LFS pointer, not the file itself", "fetch it: git lfs pull")
    return parquet_fields(called, file) if _is_parquet(file) else lines_fields(called, file)


def _has_texts(files: Sequence[tuple[str, Path]]) -> bool:
    """Whether some file has a column that is taken for the texts. Raises UserError where none of them can be read."""
    failures = []
    for called, file in files:
        try:
            if any(is_text and key in CONTENT for key, is_text in _fields(called, file)):
                return True
        except UserError as failure:
            failures.append(failure)
    if failures and len(failures) == len(files):
        raise failures[0]
    return False


def _is_parquet(file: Path) -> bool:
    if file.suffix.lower() == ".parquet":
        return True
    with file.open("rb") as opened:
        return opened.read(4) == b"PAR1"


def _is_rows(file: Path, raw: bytes, wanted: Sequence[str]) -> bool:
    """Whether a file of a folder has rows: by its name; .json, which may be anything, by its first lines."""
    path = text_path(raw)
    if _SURELY_ROWS.fullmatch(path):
        return True
    if not _LINES.fullmatch(path) or _BESIDE.fullmatch(path):
        return False
    with file.open("rb") as opened:
        head = opened.read(_HEAD)
    if not is_packed(str(file)):
        over_lines = head.split(b"\n", 1)[0].strip() == b"{"
        if over_lines or not any(f'"{name}"'.encode() in head for name in wanted):
            return False
    try:
        return any(key in wanted and is_text for key, is_text in lines_fields(path, file))
    except UserError:
        return False


def _target(folder: Path, found: Found) -> Path | None:
    """Where a file below a folder lies. Links lead within the folder, or as in the Hub's cache, where a snapshot is
    links into a folder of contents beside it; else None."""
    file = folder / os.fsdecode(found.raw)
    if not found.is_link:
        return file
    top, target = folder.resolve(), file.resolve()
    allowed = [top, top.parents[1] / "blobs"] if top.parent.name == "snapshots" else [top]
    return target if target.is_file() and any(target.is_relative_to(one) for one in allowed) else None


def _staged(scratch: Path) -> Path:
    return Path(tempfile.mkdtemp(prefix="staged-", dir=scratch)) / "texts.parquet"
