"""`starloom finetune`."""

from pathlib import Path
from typing import Any

import click

from starloom.commands._numbers import NumberRange
from starloom.commands._trained import tell
from starloom.commands._workspace import find, json_option, workspace_option

METHODS = ("full", "lora", "qlora")


@click.command("finetune", short_help="Train a model further: on examples, or on the dataset.")
@click.argument("run", default="tuned")
@click.option("--base", metavar="RUN|DIR", help="The model to begin with: a run, or a Hugging Face folder.")
@click.option(
    "--data",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="JSON Lines; may be repeated. Without any: the workspace's dataset.",
)
@click.option("--method", type=click.Choice(METHODS), help="All weights, adapters, or adapters over 4 bits.")
@click.option("--epochs", type=NumberRange(min=0, min_open=True), help="How often all examples are seen.")
@click.option("--steps", type=click.IntRange(min=1), help="Length of the run in steps, instead.")
@click.option("--rate", type=NumberRange(0, 1, min_open=True), help="The highest learning rate.")
@click.option("--merge", is_flag=True, help="Add the adapters to the base's weights: a whole model.")
@click.option("--restart", is_flag=True, help="Remove what the run has so far, and begin anew.")
@workspace_option
@json_option
def command(
    run: str,
    base: str | None,
    data: tuple[Path, ...],
    method: str | None,
    epochs: float | None,
    steps: int | None,
    rate: float | None,
    merge: bool,
    restart: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Train a model further, as `[finetune]` in starloom.toml says: ours, any StarCoder2, or any causal language model
    of Hugging Face's.

    \b
    A line of FILE is one of
        {"text": "…"}
        {"prompt": "…", "completion": "…"}
        {"messages": [{"role": "user", "content": "…"}, {"role": "assistant", "content": "…"}]}
        {"prefix": "…", "suffix": "…", "middle": "…"}

    Answers are learnt, not prompts. Conversations are laid out by the model's chat template, or by a plain one, which
    is then stored with the model. The result is in models/RUN/model: a whole model, or a PEFT adapter (--merge adds it
    to the weights, also afterwards). It names its base and the base's licence. The same command goes on after Ctrl-C
    or `kill -9`.

    \b
    Examples:
        starloom finetune --base small --data answers.jsonl
        starloom finetune mine --base ~/models/Qwen2.5-Coder-1.5B --method lora --data chats.jsonl --merge
        starloom finetune ours --base ~/models/starcoder2-3b --epochs 2
    """
    from dataclasses import replace

    from starloom.stages import load_settings
    from starloom.training.runs import run_folder

    if steps is not None and epochs is not None:
        raise click.UsageError("give --steps or --epochs: they say the same thing")
    root = find(workspace)
    run_folder(root, run)  # refuses what is no name, before torch takes its second to come
    loaded = load_settings(root)
    given: dict[str, Any] = {"base": base, "method": method, "rate": rate, "steps": steps, "epochs": epochs}
    given |= {"data": tuple(str(path.absolute()) for path in data) or None, "merge": merge or None}
    if epochs is not None:
        given["steps"] = 0
    settings = replace(loaded.finetune, **{name: value for name, value in given.items() if value is not None})

    from starloom.training.finetune.run import finetune

    done = finetune(root, settings, loaded.pack, run, restart=restart, command="starloom finetune")
    named = done.run.record.settings
    tell(done, as_json, base=named["base"], method=named["method"])
