"""`starloom trace`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit, find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.tokens.samples import Samples
    from starloom.training.locate import Lying
    from starloom.training.runs import Run
    from starloom.training.seen import Sightings
    from starloom.training.trace import TracedSample, TracedStretch


@click.command("trace", short_help="What a training step read, and when a file was read.")
@click.argument("run")
@click.option("--step", type=click.IntRange(min=1), help="The files, repositories and licences of this step's batch.")
@click.option("--sample", type=click.IntRange(min=1), metavar="K", help="With --step: only its K-th sample.")
@click.option("--text", is_flag=True, help="With --step: the text too, as the model saw it.")
@click.option("--raw", is_flag=True, help="With --text: show what is private in it too: addresses, keys, passwords.")
@click.option("--file", "file", metavar="WHAT", help="At which steps a file was read: its SWHID, content id or place.")
@click.option("--repository", metavar="NAME", help="At which steps a repository was read.")
@click.option("--limit", type=click.IntRange(min=0), default=20, show_default=True, help="Sightings to name.")
@workspace_option
@json_option
def command(
    run: str,
    step: int | None,
    sample: int | None,
    text: bool,
    raw: bool,
    file: str | None,
    repository: str | None,
    limit: int,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """What step N of a RUN read; or, the other way round, at which of its steps a file or a repository was read.

    A file is named by its SWHID (swh:1:cnt:…), its content id, as REPOSITORY:PATH, or as a file on this machine, by its
    content. Steps count from 1, as in loss.jsonl; samples within a step too. Nothing was logged for this: the samples
    of a step follow from the run's record and its tokens, which are checked to be those that it read.

    \b
    Examples:
        starloom trace small --step 100
        starloom trace small --step 100 --sample 2 --text
        starloom trace small --file numpy:numpy/ma/core.py
        starloom trace small --repository numpy --json | jq '.sightings[].step'
    """
    if sum(one is not None for one in (step, file, repository)) != 1:
        raise click.UsageError("give one of --step, --file and --repository")
    if step is None and (sample is not None or text or raw):
        raise click.UsageError("--sample, --text and --raw go with --step")
    if raw and not text:
        raise click.UsageError("--raw goes with --text")

    from starloom.errors import UserError
    from starloom.training import reading, runs

    root = find(workspace)
    found = runs.find(root, run)
    if found is None:
        there = ", ".join(one.name for one in runs.every(root))
        raise UserError(f"no run is called {run}", f"runs here: {there}" if there else "`starloom train` makes one")
    samples = reading.samples_of(root, found)
    if step is not None:
        _step(root, found, samples, step, sample, text, raw, as_json)
    elif file is not None:
        _seen(found, samples, "file", file, limit, as_json)
    elif repository is not None:
        _seen(found, samples, "repository", repository, limit, as_json)


def _step(
    root: Path, run: "Run", samples: "Samples", step: int, sample: int | None, text: bool, raw: bool, as_json: bool
) -> None:
    from dataclasses import asdict

    from starloom.training.seen import steps_done
    from starloom.training.trace import ids, tokenizer_of, totals, trace

    found = trace(run, samples, step, sample)
    total, done = totals(found), steps_done(run)
    texts = [[""] * len(one.stretches) for one in found]
    if text:
        tokenizer = tokenizer_of(root, run)
        texts = [[_text(tokenizer.decode(part), raw) for part in ids(samples, one)] for one in found]
    if as_json:
        rows = [one.to_json() for one in found]
        for row, own in zip(rows, texts, strict=True) if text else ():
            for stretch, shown in zip(row["stretches"], own, strict=True):
                stretch["text"] = shown
        emit({"run": run.name, "step": step, "read": step <= done, "samples": rows, "totals": asdict(total)})
        return
    if step > done:
        click.echo(f"run {run.name} stands at step {done:,}: this is what step {step:,} will read")
    for one, own in zip(found, texts, strict=True):
        _show(one, own)
    click.echo("\n".join(_totals(total)))


def _show(sample: "TracedSample", texts: Sequence[str]) -> None:
    padding = f", {sample.padding:,} of padding" if sample.padding else ""
    click.echo(
        f"sample {sample.number:,}: {sample.source}, epoch {sample.epoch}, variant {sample.variant}, row "
        f"{sample.row:,}: {sample.tokens:,} tokens{padding}"
    )
    for stretch, text in zip(sample.stretches, texts, strict=True):
        click.echo("\n".join(_stretch(stretch)))
        if text:
            click.echo("\n".join(f"        {line}" for line in text.split("\n")))
    click.echo()


def _stretch(stretch: "TracedStretch") -> list[str]:
    from starloom.identity import content_swhid
    from starloom.outside.paths import printable

    if not stretch.files:
        return [printable(f"  {stretch.tokens:>7,}  {stretch.repo_name}: between files")]
    lines = []
    for one in stretch.files:
        part = "" if one.whole else ", a part"
        place = printable(f"{one.repo_name}:{one.path}")
        swhid = content_swhid(one.content_id) if one.content_id else ""
        about = printable(f"{one.license}{part}  {swhid}".rstrip())
        lines.append(f"  {one.tokens:>7,}  {place}  {click.style(about, dim=True)}")
    return lines


def _totals(total: Any) -> list[str]:
    from starloom.outside.paths import printable
    from starloom.progress import counted

    inside = sum(total.licenses.values())
    shares = [f"{name} {100 * tokens / max(inside, 1):.0f} %" for name, tokens in total.licenses.items()]
    more = f" and {len(shares) - 8:,} more" if len(shares) > 8 else ""
    padding = f", {total.padding:,} of padding" if total.padding else ""
    return [
        f"{total.tokens:,} tokens{padding} of {counted(total.files, 'files')} in "
        f"{counted(total.repositories, 'repositories')}",
        printable(f"licences, by tokens: {', '.join(shares[:8])}{more}" if shares else "no file in it"),
    ]


def _text(text: str, raw: bool) -> str:
    from starloom.privacy.hidden import hidden
    from starloom.privacy.redact import excerpt

    spans = [] if raw else hidden(text)
    return excerpt(text, spans, max_lines=len(text) + 1, max_chars=4 * len(text) + 1)


def _seen(run: "Run", samples: "Samples", kind: str, what: str, limit: int, as_json: bool) -> None:
    from starloom.training.locate import file_in, repository_in
    from starloom.training.seen import seen, steps_done

    lying = file_in(run, samples, what) if kind == "file" else repository_in(run, samples, what)
    sightings, done = seen(run, samples, lying.stretches), steps_done(run)
    if as_json:
        emit(_seen_json(run, samples, lying, sightings, done, limit))
        return
    for line in _seen_words(run, samples, lying, sightings, done, limit):
        click.echo(line)


def _rows(samples: "Samples", sightings: "Sightings", limit: int) -> list[dict[str, Any]]:
    some = slice(0, limit)
    names = [samples.sources[number].name for number in sightings.sources[some].tolist()]
    columns = {
        "step": sightings.steps[some].tolist(),
        "sample": sightings.samples[some].tolist(),
        "source": names,
        "epoch": sightings.epochs[some].tolist(),
        "row": sightings.rows[some].tolist(),
        "tokens": sightings.tokens[some].tolist(),
    }
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _seen_json(
    run: "Run", samples: "Samples", lying: "Lying", sightings: "Sightings", done: int, limit: int
) -> dict[str, Any]:
    steps = sightings.distinct_steps.tolist()
    return {
        "run": run.name,
        "what": lying.what,
        "places": list(lying.places),
        "steps_done": done,
        "steps": len(steps),
        "first": steps[0] if steps else None,
        "last": steps[-1] if steps else None,
        "samples": len(sightings),
        "tokens": lying.tokens,
        "tokens_read": int(sightings.tokens.sum()),
        "sightings": _rows(samples, sightings, limit),
    }


def _seen_words(
    run: "Run", samples: "Samples", lying: "Lying", sightings: "Sightings", done: int, limit: int
) -> list[str]:
    from starloom.outside.paths import printable
    from starloom.progress import counted

    lines = [printable(f"{lying.what}: {counted(lying.tokens, 'tokens')}")]
    lines += [printable(f"    {place}") for place in lying.places if place != lying.what]
    for row in _rows(samples, sightings, limit):
        lines.append(
            f"step {row['step']:,}, sample {row['sample']}: {row['tokens']:,} tokens of it "
            f"({row['source']}, epoch {row['epoch']}, row {row['row']:,})"
        )
    if len(sightings) > limit:
        lines.append(f"… and {len(sightings) - limit:,} more samples (--limit)")
    read = f", {counted(int(sightings.tokens.sum()), 'tokens')} of it read in all" if len(sightings) else ""
    return [*lines, f"run {run.name}, after {counted(done, 'steps')}: {sightings.words()}{read}"]
