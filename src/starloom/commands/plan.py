"""`starloom plan`."""

from pathlib import Path

import click

from starloom.commands._numbers import NumberRange
from starloom.commands._workspace import emit, find, json_option, workspace_option


@click.command("plan", short_help="Memory, days and cost of a training, before it begins.")
@click.argument("recipe", required=False)
@click.option("--gpus", type=click.IntRange(1, 1 << 16), default=1, show_default=True, help="How many, all together.")
@click.option("--gpu", "gpu_name", metavar="NAME", help="Which: H200, H100, A100, L40S, …; default: H200.")
@click.option("--memory", type=NumberRange(0.001), metavar="GIB", help="Of one GPU, instead of the table's.")
@click.option("--peak", type=NumberRange(0.001), metavar="TFLOPS", help="Of one GPU, dense, instead of the table's.")
@click.option("--mfu", type=NumberRange(0.001, 1), help="Share of the peak that the model gets; default: assumed.")
@click.option("--price", type=NumberRange(0), metavar="USD", help="Of one GPU an hour, instead of the table's.")
@workspace_option
@json_option
def command(
    recipe: str | None,
    gpus: int,
    gpu_name: str | None,
    memory: float | None,
    peak: float | None,
    mfu: float | None,
    price: float | None,
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Memory of each GPU, FLOPs, days and cost of what `[train]` of RECIPE says, before anyone rents a machine.

    RECIPE is one that comes with Starloom or a .toml file; without it, the workspace's own settings. What does not fit
    is answered with the settings that make it fit. Nothing is read, trained or rented: it needs no GPU and no PyTorch.

    FLOPs are exact, with the sliding window; memory is reckoned tensor by tensor, and checked on CPUs only; the share
    of the peak that a GPU reaches is assumed until you give --mfu (`starloom train` tells it of a run).

    \b
    Examples:
        starloom plan starcoder2-3b --gpus 64 --gpu H200
        starloom plan starcoder2-15b --gpus 1024 --gpu H100 --mfu 0.5 --price 2.5
        starloom plan 100m-h200 --json | jq .cost
    """
    from dataclasses import replace

    from starloom.stages import load_settings, recipe_settings
    from starloom.training.footprint import GIB
    from starloom.training.gpus import named
    from starloom.training.plan import Hardware, plan
    from starloom.training.plan_words import words

    if recipe is None:
        root = find(workspace)
        settings, run = load_settings(root), root.name
    else:
        settings = recipe_settings(recipe, workspace or Path())
        run = Path(recipe).name.removesuffix(".toml")
    train = settings.train
    if train.device == "cpu" and gpu_name is None:
        hardware = Hardware("CPU", gpus, "cpu", train.precision == "bfloat16")
    else:
        gpu = named(gpu_name or "H200")
        half = train.precision != "float32"
        # The table's peaks are of bfloat16.
        hardware = Hardware(
            gpu.name, gpus, "cuda", half, gpu.memory * GIB, gpu.peak if half else None, gpu.price, gpu.priced
        )
    if memory is not None:
        hardware = replace(hardware, memory=int(memory * GIB))
    if peak is not None:
        hardware = replace(hardware, peak=peak * 1e12)
    if price is not None:
        hardware = replace(hardware, price=price, priced="yours")
    found = plan(train, settings.tokenizer.vocabulary, replace(hardware, mfu=mfu), run)
    if as_json:
        emit(found.to_json())
    else:
        click.echo(words(found))
