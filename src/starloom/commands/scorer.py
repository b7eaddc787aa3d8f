"""`starloom scorer`."""

from pathlib import Path
from typing import Any

import click

from starloom.commands._workspace import emit, json_option


@click.group("scorer", short_help="Quality scorers: learn one from labelled files, ask one.")
def command() -> None:
    """Learn a quality scorer from labelled files, or ask one about files.

    A scorer gives every file of a dataset its column quality_score, 0 to 1, for rules to use. Which one does is
    `scorer` in section [quality] of starloom.toml; the default, `heuristics`, needs no labels.

    \b
    Examples:
        starloom scorer train labels.jsonl --out my-scorer
        starloom scorer score my-scorer src/*.py
        starloom scorer score heuristics setup.py
    """


@command.command("train", short_help="Learn one from a file of labels.")
@click.argument("labels", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder for the scorer; replaced if there.")
@click.option("--good", multiple=True, metavar="NAME", help="A label that means good, where labels are names.")
@click.option("--held-out", default=0.2, show_default=True, help="Share of the files kept apart to judge it by.")
@click.option("--passes", default=5, show_default=True, help="Times that every file is gone through.")
@click.option("--orders", default=2, show_default=True, help="Tokens of the longest n-gram: 1, 2 or 3.")
@click.option("--bits", default=18, show_default=True, help="2**bits n-grams are told apart: 10 to 24.")
@click.option("--no-languages", is_flag=True, help="Do not let a file's language as such speak for or against it.")
@click.option("--seed", default=0, show_default=True, help="Of what is held out, and of the order.")
@json_option
def train(
    labels: Path,
    out: Path,
    good: tuple[str, ...],
    held_out: float,
    passes: int,
    orders: int,
    bits: int,
    no_languages: bool,
    seed: int,
    as_json: bool,
) -> None:
    """Learn a scorer from LABELS, a file of JSON lines, and tell how well it does on files it has not seen.

    One object a line: `content` (or `text`), `label`: 1 good, 0 bad, a number between, or a name (see --good); where
    known `language`, and `repo_name`, so that files of one repository are not on both sides. Same labels, same
    settings, same scorer. The score is the chance of a good label where files are mixed as in LABELS.

    \b
    Examples:
        starloom scorer train labels.jsonl --out my-scorer
        starloom scorer train labels.jsonl --good educational --out my-scorer --json
    """
    from starloom.progress import say, task
    from starloom.quality.scorer.labels import read_labels
    from starloom.quality.scorer.learning import LearningSettings, check, learn
    from starloom.quality.scorer.linear import write

    settings = LearningSettings(
        bits=bits,
        orders=orders,
        passes=passes,
        held_out=held_out,
        languages=not no_languages,
        seed=seed,
    )
    check(settings)
    with task("read the labels", None, "files") as bar:
        labelled = read_labels(labels, good)
        bar.advance(len(labelled.targets))
    with task("learn", len(labelled.files.data) * (1 - held_out) * passes) as bar:

        def advance(size: float, note: str) -> None:
            bar.note = note
            bar.advance(size)

        scorer = learn(labelled, settings, advance)
    write(out, scorer)
    if as_json:
        emit({"folder": str(out), **scorer.facts})
        return
    click.echo(_told(scorer.facts))
    click.echo(f"\n{out}: for a dataset, write into starloom.toml:\n\n[quality]\nscorer = {_quoted(out.resolve())}")
    if scorer.facts["held_out"]["accuracy"] <= scorer.facts["held_out"]["majority"]:
        say("\nnote: to call every file the commoner label would be right as often: look at auc, or label more files")


def _quoted(path: Path) -> str:
    import json

    return json.dumps(str(path), ensure_ascii=False)


def _told(facts: dict[str, Any]) -> str:
    training, held_out = facts["training"], facts["held_out"]
    auc = held_out["auc"]
    lines = [
        f"learned from {training['files']:,} files, {training['good']:,} of them good",
        f"on {held_out['files']:,} others, {held_out['good']:,} of them good:",
        f"    accuracy           {held_out['accuracy']:.3f} ± {held_out['accuracy_error']:.3f} "
        f"(the commoner label alone: {held_out['majority']:.3f})",
        f"    auc                {auc:.3f}" if auc is not None else "    auc                none: one label only",
        f"    log loss           {held_out['log_loss']:.3f}",
        f"    calibration error  {held_out['calibration_error']:.3f}"
        + ("" if held_out["calibrated_on"] else " (not calibrated: too few files)"),
        "    score      files   mean score   share good",
    ]
    lines += [
        f"    {one['from']:.1f}-{one['from'] + 0.1:.1f} {one['files']:>9,} {one['score']:>12.3f} {one['label']:>12.3f}"
        for one in held_out["calibration"]
    ]
    return "\n".join(lines)


@command.command("score", short_help="Ask one about files.")
@click.argument("scorer")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--label", default="", help="Of a text classifier: the class whose probability is the score.")
@click.option("--least", default=0.0, help="Of a classifier with one output: the output that is score 0 …")
@click.option("--most", default=1.0, help="… and the one that is score 1.")
@json_option
def score(scorer: str, files: tuple[Path, ...], label: str, least: float, most: float, as_json: bool) -> None:
    """Score FILES by SCORER: `heuristics`, a folder of `starloom scorer train`, or one of a Hugging Face classifier.

    The heuristics also tell what they count against a file.

    \b
    Examples:
        starloom scorer score heuristics setup.py
        starloom scorer score my-scorer src/*.py --json | jq -r '.files[] | select(.score < 0.3) | .path'
    """
    from starloom.errors import UserError
    from starloom.outside.paths import printable
    from starloom.progress import counted, say
    from starloom.quality.scorer.open import open_scorer
    from starloom.quality.settings import QualitySettings

    opened = open_scorer(QualitySettings(scorer=scorer, label=label, least=least, most=most))
    rows: list[dict[str, Any]] = []
    problems: list[dict[str, Any]] = []
    for path in files:
        row = _scored(path, opened)
        (problems if "problem" in row else rows).append(row)
    if as_json:
        emit({"scorer": opened.name, "files": rows, "problems": problems})
    for row in [] if as_json else rows:
        against = ", ".join(f"{name} {value:.2f}" for name, value in row.get("parts", {}).items() if value < 1)
        click.echo(f"{row['score']:.3f}  {printable(row['path'])}" + (f"  ({against})" if against else ""))
    if problems:
        for row in problems:
            say(f"{printable(row['path'])}: {row['problem']}")
        raise UserError(
            f"{len(problems)} of {counted(len(files), 'files')} could not be scored", "name readable text files"
        )


def _scored(path: Path, scorer: Any) -> dict[str, Any]:
    """path, language, score and, of the heuristics, parts; or path and problem."""
    from starloom.languages.detect import detect
    from starloom.languages.table import by_name
    from starloom.outside.text import Undecodable, decode
    from starloom.quality import heuristics
    from starloom.quality.scorer.files import as_files
    from starloom.quality.scorer.open import HeuristicScorer

    try:
        decoded = decode(path.read_bytes())
    except OSError as problem:
        return {"path": str(path), "problem": problem.strerror or str(problem)}
    if isinstance(decoded, Undecodable):
        return {"path": str(path), "problem": decoded.reason}
    found = detect(path.name, decoded.text)
    language = found.language if found else None
    known = by_name(language) if language else None
    asked = as_files([decoded.text], [language], [known.kind if known else None])
    row: dict[str, Any] = {"path": str(path), "language": language}
    if isinstance(scorer, HeuristicScorer):
        told = heuristics.score(asked.offsets, asked.data, asked.kinds)
        parts = {name: round(float(values[0]), 4) for name, values in told.parts.items()}
        return row | {"score": round(float(told.score[0]), 4), "parts": parts}
    return row | {"score": round(float(scorer.score(asked)[0]), 4)}
