"""What `train` and `finetune` tell of a finished run."""

from typing import TYPE_CHECKING, Any

import click

from starloom.commands._workspace import emit

if TYPE_CHECKING:
    from starloom.training.loop import Trained


def tell(done: "Trained", as_json: bool, **more: Any) -> None:
    """In words, or as JSON with `more` in it; under torchrun the first process alone."""
    from starloom.progress import counted, say
    from starloom.training.world import speaks

    if not speaks():
        return
    record = done.run.record
    if as_json:
        emit(
            {
                "run": done.run.name,
                "model": str(done.run.model),
                "trained": done.anew,
                **more,
                "steps": record.steps,
                "tokens": done.tokens,
                "parameters": record.parameters,
                "loss": round(done.loss, 4),
                "seconds": round(done.seconds, 1),
                "tokens_per_second": round(done.tokens / max(done.seconds, 1e-9), 1),
                "precision": record.precision,
            }
        )
        return
    if not done.anew:
        say(f"run {done.run.name} is finished; `--restart` trains it anew")
    read = f"{counted(record.steps, 'steps')}, {counted(done.tokens, 'tokens')}"
    say(f"{read} in {done.seconds:.0f} s, loss {done.loss:.3f}")
    click.echo(done.run.model)
