"""`starloom train`."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from starloom.commands._numbers import NumberRange
from starloom.commands._trained import tell
from starloom.commands._workspace import find, json_option, workspace_option

if TYPE_CHECKING:
    from starloom.training.settings import Preset

PRESETS = ("tiny", "100m", "1b", "3b", "7b", "15b")  # of starcoder2.presets, which is imported when called


@click.command("train", short_help="Train a StarCoder2 on the packed tokens.")
@click.argument("run", default="small")
@click.option("--steps", type=click.IntRange(min=1), help="Length of the run in steps; default: as starloom.toml says.")
@click.option("--seconds", type=NumberRange(min=1), help="Length by the clock: as many steps as fit, 40 at the least.")
@click.option("--preset", type=click.Choice(PRESETS), help="The network's shape; default: as starloom.toml says.")
@click.option("--initial", metavar="RUN|DIR", help="Begin with the weights of this run or StarCoder2 folder.")
@click.option("--restart", is_flag=True, help="Remove what the run has so far, and begin anew.")
@workspace_option
@json_option
def command(
    run: str,
    steps: int | None,
    seconds: float | None,
    preset: "Preset | None",
    initial: str | None,
    restart: bool,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Train a StarCoder2 on the packed tokens, as `[train]` in starloom.toml says.

    The model is in models/RUN/model, a Hugging Face folder; the loss in models/RUN/loss.jsonl and loss.svg. Ctrl-C,
    even `kill -9`, loses little: the same command goes on from the last checkpoint, and on a CPU ends with the same
    weights, bit for bit. Stages (`[[train.stages]]`) follow as runs of their own, RUN.NAME.

    On several GPUs, or machines, give it to torchrun: weights, gradients and moments are sharded over the processes.
    A run may go on with another number of them.

    \b
    Examples:
        starloom train
        starloom train larger --steps 2000
        starloom train small --seconds 600 --restart
        torchrun --nproc-per-node 8 --no-python starloom train base
    """
    from dataclasses import replace

    from starloom.stages import load_settings
    from starloom.training.runs import run_folder

    if steps is not None and seconds is not None:
        raise click.UsageError("give --steps or --seconds: they say the same thing")
    root = find(workspace)
    run_folder(root, run)  # refuses what is no name, before torch takes its second to come
    loaded = load_settings(root)
    settings = loaded.train
    if preset is not None:
        settings = replace(settings, preset=preset)
    if initial is not None:
        settings = replace(settings, initial=initial)
    if steps is not None:
        settings = replace(settings, steps=steps)
    if seconds is not None:
        settings = replace(settings, steps=0, seconds=seconds)

    from starloom.training.pretraining import train

    done = train(root, settings, run, loaded.mixture, restart=restart, command="starloom train")
    tell(done, as_json)
