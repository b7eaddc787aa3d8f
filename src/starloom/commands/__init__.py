"""The command line: one file per command, found by name, imported when called. `main` is the entry point.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 the work failed, 2 wrong use, 130 interrupted.
"""

import _thread
import importlib
import os
import pkgutil
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import click

from starloom import __version__
from starloom.errors import UserError

# In the order of the work; the help shows them so. A command that is not named here comes last.
_ORDER = (
    *(
        "demo",
        "init",
        "corpus",
        "build",
        "status",
        "why",
        "ledger",
        "tune",
        "report",
        "scorer",
        "detect",
        "dedup",
        "compare",
        "opt-out",
    ),
    *(
        "tokenizer",
        "pack",
        "tokens",
        "plan",
        "train",
        "finetune",
        "trace",
        "generate",
        "export",
        "index",
        "search",
        "check",
        "sketch",
        "eval",
        "serve",
    ),
    *("verify", "clean"),
)
# Libraries of an extra: the commands that need one say how to get it.
_EXTRAS = {
    **dict.fromkeys(("torch", "tokenizers", "safetensors"), "train"),
    "tantivy": "search",
    **dict.fromkeys(("tree_sitter", "tree_sitter_language_pack"), "syntax"),
    "huggingface_hub": "hub",
    **dict.fromkeys(("fastapi", "uvicorn", "starlette"), "serve"),
}


class _Commands(click.Group):
    """Every module of this package is a command of its name; `--help` reads only their first lines."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        names = [one.name.replace("_", "-") for one in pkgutil.iter_modules(__path__) if not one.name.startswith("_")]
        return sorted(names, key=lambda name: (_ORDER.index(name) if name in _ORDER else len(_ORDER), name))

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in self.list_commands(ctx):
            return None
        command: click.Command = importlib.import_module(f"{__name__}.{name.replace('-', '_')}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as problem:
            from difflib import get_close_matches

            if close := get_close_matches(args[0], self.list_commands(ctx), n=1):
                raise click.UsageError(f"{problem.message} Did you mean '{close[0]}'?", ctx) from None
            raise


@click.group(
    cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]}, epilog="Start with: starloom demo"
)
@click.version_option(__version__, "--version", message="starloom %(version)s")
def group() -> None:
    """Repositories in; a dataset, a model, search and a membership test out, and a reason for every file."""
    try:
        Path.cwd()
    except FileNotFoundError:
        raise UserError("the folder that you are in was removed", "go into another one: cd") from None


def main() -> None:
    """Runs the command line and exits. A UserError is printed here and nowhere else."""
    sys.unraisablehook = _unraisable
    # PyTorch's threads wait for each other by spinning: beside any other load a step takes three times as long.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    interrupted = False

    def interrupt(_number: int, frame: FrameType | None) -> None:
        nonlocal interrupted
        interrupted = True
        if _importing(frame):  # native modules abort the process where their start is interrupted
            _again()
        else:
            raise KeyboardInterrupt

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not under `nohup`, which ignores it
        signal.signal(signal.SIGINT, interrupt)
    try:
        status = group.main(standalone_mode=False)
    except (KeyboardInterrupt, click.Abort):
        status = _interrupted()
    except Exception as problem:
        if interrupted:  # a library met Ctrl-C and called it something else
            status = _interrupted()
        elif isinstance(problem, UserError):
            status = _refuse(problem)
        elif isinstance(problem, ModuleNotFoundError) and problem.name in _EXTRAS:
            extra = _EXTRAS[problem.name]
            status = _refuse(
                UserError(f"this needs {problem.name}, which is not installed", f"pip install 'starloom[{extra}]'")
            )
        elif isinstance(problem, click.ClickException):
            problem.show()
            status = problem.exit_code
        elif isinstance(problem, BrokenPipeError):  # `starloom why … | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            status = 0
        elif isinstance(problem, OSError) and (told := _refused(problem)):
            status = _refuse(told)
        else:
            raise
    if (
        interrupted and status == 130 and threading.active_count() > 1
    ):  # a fetch still waits for a server: Python would wait with it
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(130)
    sys.exit(status if isinstance(status, int) else 0)


def _interrupted() -> int:
    print("\ninterrupted: nothing is half done; the same command does what is left", file=sys.stderr)
    return 130


def _unraisable(event: "sys.UnraisableHookArgs") -> None:
    """Ctrl-C inside a callback of native code (kernels being loaded), which Python would print and forget: once more,
    a moment later."""
    if issubclass(event.exc_type, KeyboardInterrupt):
        _again()
    else:
        sys.__unraisablehook__(event)


def _again() -> None:
    timer = threading.Timer(0.05, _thread.interrupt_main)
    timer.daemon = True
    timer.start()


def _importing(frame: FrameType | None) -> bool:
    """Whether a module is being loaded, there or further up."""
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def _refused(problem: OSError) -> UserError | None:
    """What the machine refused where nobody told it better: a name too long, a full disk, no permission."""
    from starloom.workspace.operations import refused

    return refused(problem)


def _refuse(problem: UserError) -> int:
    from starloom.outside.paths import printable

    print("error: " + "\n".join(printable(line) for line in problem.problem.splitlines()), file=sys.stderr)
    if problem.hint:
        print("\nhint: " + "\n".join(printable(line) for line in problem.hint.splitlines()), file=sys.stderr)
    return 1
