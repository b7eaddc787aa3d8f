"""Every command has help with an example, is found by its file's name, and costs nothing until it is called."""

import importlib
import json
import pkgutil
import subprocess
import sys

import click
import pytest
from click.testing import CliRunner

from starloom import commands

MODULES = [one.name for one in pkgutil.iter_modules(commands.__path__)]
NAMES = sorted(name.replace("_", "-") for name in MODULES if not name.startswith("_"))
HEAVY = {"numpy", "pyarrow", "duckdb", "numba", "sqlglot", "torch", "rich"}


def test_commands_are_found_by_name():
    context = click.Context(commands.group)
    assert sorted(commands.group.list_commands(context)) == NAMES
    assert {"demo", "init", "build", "status", "why", "verify", "report"} <= set(NAMES)
    for name in NAMES:
        command = commands.group.get_command(context, name)
        assert command is importlib.import_module(f"starloom.commands.{name.replace('-', '_')}").command
        assert command.name == name
    assert commands.group.get_command(context, "_workspace") is None
    assert commands.group.get_command(context, "nonsense") is None


@pytest.mark.parametrize("name", NAMES)
def test_help_has_an_example(name):
    context = click.Context(commands.group)
    command = commands.group.get_command(context, name)
    text = command.get_help(click.Context(command, info_name=name, parent=context))
    assert "Example" in text
    assert f"\n    starloom {name}" in text.replace("\n      ", "\n    ")
    assert all(option.help for option in command.params if isinstance(option, click.Option))


def test_lists_of_commands_are_whole_on_a_narrow_terminal():
    context = click.Context(commands.group)
    groups = [("starloom", commands.group)]
    groups += [(name, commands.group.get_command(context, name)) for name in NAMES]
    for name, command in groups:
        if isinstance(command, click.Group):
            narrow = click.Context(command, info_name=name, terminal_width=60)
            assert "...\n" not in command.get_help(narrow).partition("Commands:")[2], name


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["build", "--help"], ["why", "--help"]])
def test_help_is_light(arguments):
    """Nothing heavy is imported to show a help."""
    script = (
        "import sys\nsys.argv = ['starloom', *sys.argv[1:]]\nfrom starloom.commands import main\n"
        f"try:\n    main()\nfinally:\n    print(sorted({HEAVY!r} & set(sys.modules)), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert done.stdout
    assert done.stderr == "[]\n"


def test_commands_of_a_workspace_take_w_and_reading_ones_json():
    context = click.Context(commands.group)
    for name in set(NAMES) - {"compare", "corpus", "dedup", "demo", "detect", "init", "scorer", "sketch", "verify"}:
        command = commands.group.get_command(context, name)
        for one in command.commands.values() if isinstance(command, click.Group) else [command]:
            options = {word for parameter in one.params for word in parameter.opts}
            assert {"-w", "--workspace"} <= options, name
            assert "--json" in options or name == "serve", name


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nonsense"], "No such command 'nonsense'.\n"),
        (["search", "-license:MIT json"], "behind --: starloom search -- '-path:test json'"),
        (["serch"], "No such command 'serch'. Did you mean 'search'?"),
        (["build", "--nonsense"], "No such option"),
        (["init", "x"], "Missing option '--from'"),
        (["why"], "Missing argument 'WHAT'"),
        (["build", "nonsense"], "`nonsense` is no stage"),
        (["why", "x", "--limit", "many"], "not a valid integer"),
        (["why", "x", "--diff", "0"], "0 is not in the range"),
        (["init", "x", "--from", ".", "--rights", "mine"], "is not one of"),
    ],
)
def test_wrong_use_is_2(cli, refused, built, arguments, words):
    refused(cli(*arguments, cwd=built.root), words, code=2)


def test_init_says_what_a_shell_understands(cli, tmp_path):
    (tmp_path / "a.py").write_text("a = 1\n")
    done = cli("init", "my stack", "--from", "a.py")
    assert done.stdout.endswith("\n\nnext: cd 'my stack' && starloom build\n")


def test_no_workspace_here(cli, refused):
    for command in (["build"], ["status"], ["why", "x"], ["report"]):
        refused(cli(*command), "no workspace here", "starloom init")
    refused(cli("status", "-w", "nowhere"), "nowhere is no workspace")


def test_the_workspace_is_found_from_below_and_by_w(cli, built, tmp_path):
    inside = built.root / "dataset" / "files"
    assert cli("status", cwd=inside).stdout == cli("status", "-w", built.root, cwd=tmp_path).stdout


def test_the_demo_build_is_one_command(cli, tmp_path):
    """init, build, status, why: the words that init prints are those that go on."""
    from the_stack import building

    source = building.folder(tmp_path / "mine", {"LICENSE": building.MIT, "a.py": building.code("a")})
    done = cli("init", "w", "--from", source)
    assert done.returncode == 0, done.stderr
    assert "next: cd w && starloom build" in done.stdout
    with (tmp_path / "w" / "starloom.toml").open("a") as file:
        file.write("\n[engine]\nworkers = 1\n")
    dry = json.loads(cli("build", "--dry-run", "--json", "-w", "w").stdout)
    assert [one["state"] for one in dry["stages"]] == ["missing"] * 7
    assert sorted(one.name for one in (tmp_path / "w").iterdir()) in (["starloom.toml"], [".starloom", "starloom.toml"])
    done = cli("build", "-w", "w")
    assert (done.returncode, done.stdout) == (0, "")  # what it says goes to stderr
    assert "2 kept" in done.stderr
    assert cli("verify", "w").returncode == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("search", "x", "--seconds"),
        ("check", "a.py", "--min-coverage"),
        ("compare", "union", "a", "b", "--threshold"),
        ("dedup", "a", "--threshold"),
        ("finetune", "--epochs"),
        ("plan", "--price"),
        ("train", "--seconds"),
    ],
)
@pytest.mark.parametrize("number", ["nan", "inf", "1e999", "-nan"])
def test_what_is_no_number_to_go_by(arguments, number):
    done = CliRunner().invoke(commands.group, [*arguments, number])
    assert done.exit_code == 2
    assert "is no number to go by: give one" in done.output or "is not in the range" in done.output
    if "nan" in number:
        assert "is no number to go by" in done.output
