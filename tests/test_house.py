"""The house: who may import whom, and where each library lives.

Imports inside functions and under TYPE_CHECKING count. A part imports only from earlier layers, never across one; what
a part has inside is its own affair. `the_stack` is entered by anything but its stages, which three places may import.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import starloom

SOURCE = Path(starloom.__file__).parent

LAYERS = (
    ("errors",),
    ("identity", "settings", "progress", "scratch", "collector", "kernels"),
    ("outside", "engine"),
    ("workspace", "sources", "languages", "licenses", "quality", "privacy", "dedup", "tasks", "malware"),
    ("the_stack",),
    ("documents",),
    ("tokens", "search", "membership", "report"),
    ("starcoder2",),
    ("training", "completion"),
    ("leaderboard",),
    ("publishing",),
    ("stages",),
    ("server",),
    ("commands",),
)
LAYER = {part: number for number, parts in enumerate(LAYERS, 1) for part in parts}

STAGES = ("list", "read", "measure", "pair", "decide", "write")  # of the_stack
STAGE_READERS = ("the_stack", "documents/collect", "stages", "publishing/verify")

# Library → rooms. "?" after a room: only inside a function, for those who asked for it.
ROOMS = {
    "duckdb": ("engine",),
    "pyspark": ("engine",),
    "numba": ("kernels",),
    "llvmlite": ("kernels",),
    "httpx": ("outside",),
    "httpx2": ("outside",),
    "httpcore2": ("outside",),
    "huggingface_hub": ("outside",),
    "boto3": ("outside",),
    "botocore": ("outside",),
    "s3fs": ("outside",),
    "pyarrow.fs": ("outside",),
    "requests": ("outside",),
    "aiohttp": ("outside",),
    "urllib3": ("outside",),
    "urllib.request": ("outside",),
    "http.client": ("outside",),
    "subprocess": ("outside/processes", "leaderboard/sandbox"),
    "tree_sitter": ("languages/syntax",),
    "tree_sitter_language_pack": ("languages/syntax",),
    "sqlglot": ("the_stack/conditions", "engine"),
    "torch": (
        "starcoder2",
        "training",
        "completion/local",
        "privacy/names?",
        "privacy/names_model?",
        "outside/hub_models?",
        "quality/scorer?",
    ),
    "transformers": ("starcoder2?", "outside/hub_models?"),
    "safetensors": ("starcoder2", "training"),
    "peft": ("training?",),
    "bitsandbytes": ("training?",),
    "tensorboard": ("training?",),
    "wandb": ("training?",),
    "tokenizers": ("tokens",),
    "tantivy": ("search",),
    "re2": ("search/patterns",),
    "yara": ("malware/yara_rules?",),
    "click": ("commands",),
    "fastapi": ("server",),
    "starlette": ("server",),
    "uvicorn": ("server",),
}
TORCH_FREE = (
    *("training/settings", "training/runs", "training/reading", "training/trace", "training/locate", "training/seen"),
    *("training/plan", "training/impact", "training/stage", "training/schedule", "training/gpus"),
    *("training/footprint", "training/plan_words", "training/evaluated", "training/guard"),
    *(f"training/finetune/{name}" for name in ("settings", "lines", "chat", "tokens")),
    *("starcoder2/config", "starcoder2/presets", "starcoder2/flops"),
)

CATCH_ALLS = ("utils", "util", "common", "helpers", "core", "types")
MOST_LINES = 400


class Import(NamedTuple):
    line: int
    name: str  # dotted
    lazy: bool  # inside a function


def imports(path: Path, module: str) -> Iterator[Import]:
    """Every import in `path`; of `from a import b` both a and a.b, as b may be a module. Relative ones resolved."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]

    def walk(node: ast.AST, lazy: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            inside = lazy or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(child.lineno, alias.name, lazy)
            elif isinstance(child, ast.ImportFrom):
                base = child.module or ""
                if child.level:
                    above = package.split(".")[: len(package.split(".")) - child.level + 1]
                    base = ".".join([*above, *filter(None, [child.module])])
                for alias in child.names:
                    yield Import(child.lineno, f"{base}.{alias.name}", lazy)
            elif isinstance(child, ast.Call) and (name := _imported_by_name(child)):
                yield Import(child.lineno, name, lazy)
            yield from walk(child, inside)

    yield from walk(ast.parse(path.read_text(encoding="utf-8"), str(path)), False)


def _imported_by_name(call: ast.Call) -> str | None:
    """The module in `import_module("x")` and `__import__("x")`; None for any other call."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name not in ("import_module", "__import__") or not call.args:
        return None
    value = call.args[0]
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def violations(source: Path) -> list[str]:
    """One line per breach in the package `source`: file, line, rule."""
    found: list[str] = []
    for path in sorted(source.rglob("*.py")):
        relative = path.relative_to(source)
        place = relative.with_suffix("").as_posix().removesuffix("/__init__")
        where = f"src/starloom/{relative}"
        if bad := [part for part in relative.with_suffix("").parts if part in CATCH_ALLS]:
            found.append(f"{where}:1: `{bad[0]}` is no name: say what it holds")
        lines = len(path.read_text(encoding="utf-8").splitlines())
        if lines > MOST_LINES:
            found.append(f"{where}:{lines}: longer than {MOST_LINES} lines: look for the second idea in it")
        part = relative.parts[0].removesuffix(".py")
        if part not in LAYER and place != "__init__":
            found.append(f"{where}:1: `{part}` has no layer: house.md lists them")
            continue
        module = "starloom" if place == "__init__" else "starloom." + place.replace("/", ".")
        seen: set[str] = set()
        for line, name, lazy in imports(path, module):
            problem = _own(place, part, name) if name.split(".")[0] == "starloom" else _library(place, name, lazy)
            if problem and f"{line} {problem}" not in seen:
                seen.add(f"{line} {problem}")
                found.append(f"{where}:{line}: {problem}")
    return found


def _own(place: str, part: str, name: str) -> str | None:
    """The rule that an import of our own `name` breaks in `place`, a module of `part`."""
    target = name.split(".")[1:]
    if not target or target[0].startswith("__"):
        return None
    if target[0] != part and place != "__init__":
        if target[0] not in LAYER:
            return f"`{target[0]}` has no layer: house.md lists them"
        if LAYER[target[0]] == LAYER[part]:
            return f"{part} must not import {target[0]}: both are in layer {LAYER[part]}"
        if LAYER[target[0]] > LAYER[part]:
            return f"{part} (layer {LAYER[part]}) must not import {target[0]} (layer {LAYER[target[0]]})"
    if place == "__init__":
        return f"`starloom` itself must not import {target[0]}: every command would pay for it"
    if target[0] == "the_stack" and len(target) > 1 and target[1] in STAGES and not _in(place, STAGE_READERS):
        return f"only {', '.join(STAGE_READERS[1:])} may import the stage the_stack.{target[1]}"
    return None


def _library(place: str, name: str, lazy: bool) -> str | None:
    """The rule that an import of somebody else's `name` breaks in `place`."""
    for library, rooms in ROOMS.items():
        if not f"{name}.".startswith(f"{library}."):
            continue
        if library == "torch" and _in(place, TORCH_FREE):
            return "torch is not for the torch-free modules of training"
        if _in(place, [room for room in rooms if not room.endswith("?")]):
            return None
        if _in(place, [room.removesuffix("?") for room in rooms]):
            return None if lazy else f"{library} only inside a function here"
        return f"{library} lives only in {', '.join(room.removesuffix('?') for room in rooms)}"
    return None


def _in(place: str, rooms: list[str] | tuple[str, ...]) -> bool:
    return any(place == room or place.startswith(f"{room}/") for room in rooms)


def test_the_house():
    found = violations(SOURCE)
    assert not found, "\n" + "\n".join(found)


# The test can fail

BREACHES = [
    # Layers
    (
        "workspace/a.py",
        "from starloom.the_stack import tables",
        "workspace (layer 4) must not import the_stack (layer 5)",
    ),
    ("workspace/a.py", "import starloom.dedup.bands", "workspace must not import dedup: both are in layer 4"),
    ("workspace/a.py", "from starloom import dedup", "workspace must not import dedup: both are in layer 4"),
    ("workspace/a.py", "from starloom.dedup import bands as b", "workspace must not import dedup: both"),
    ("workspace/a.py", "from ..dedup import bands", "workspace must not import dedup: both are in layer 4"),
    ("workspace/__init__.py", "from ..dedup import bands", "workspace must not import dedup: both are in layer 4"),
    ("workspace/deep/a.py", "from ... import dedup", "workspace must not import dedup: both are in layer 4"),
    ("workspace/a.py", "def f():\n    from starloom.dedup import bands", "workspace must not import dedup"),
    ("workspace/a.py", "class A:\n    async def f(self):\n        import starloom.dedup", "must not import dedup"),
    ("a.py", "", "`a` has no layer"),
    ("workspace/a.py", "import starloom.a", "`a` has no layer"),
    ("workspace/a.py", "if TYPE_CHECKING:\n    from starloom.dedup import bands", "workspace must not import dedup"),
    ("workspace/a.py", "try:\n    import starloom.dedup\nexcept ImportError:\n    pass", "must not import dedup"),
    ("workspace/a.py", "import_module('starloom.dedup')", "workspace must not import dedup"),
    ("workspace/a.py", "importlib.import_module('starloom.dedup.bands')", "workspace must not import dedup"),
    ("settings.py", "from starloom.progress import say", "settings must not import progress: both are in layer 2"),
    ("errors.py", "from starloom import identity", "errors (layer 1) must not import identity (layer 2)"),
    ("stages.py", "import starloom.commands.build", "stages (layer 12) must not import commands (layer 14)"),
    ("__init__.py", "from starloom.errors import UserError", "`starloom` itself must not import errors"),
    ("training/a.py", "from starloom.completion import local", "both are in layer 9"),
    # Stages
    ("report/a.py", "from starloom.the_stack import decide", "may import the stage the_stack.decide"),
    ("report/a.py", "from starloom.the_stack.decide import x", "may import the stage the_stack.decide"),
    ("commands/a.py", "import starloom.the_stack.read", "may import the stage the_stack.read"),
    ("documents/kind.py", "from starloom.the_stack import write", "may import the stage the_stack.write"),
    ("publishing/a.py", "from starloom.the_stack import list", "may import the stage the_stack.list"),
    # Rooms
    ("the_stack/a.py", "import duckdb", "duckdb lives only in engine"),
    ("report/a.py", "from duckdb import connect", "duckdb lives only in engine"),
    ("dedup/a.py", "from numba import njit", "numba lives only in kernels"),
    ("dedup/a.py", "import numba.core.config", "numba lives only in kernels"),
    ("engine/a.py", "import subprocess", "subprocess lives only in outside/processes, leaderboard/sandbox"),
    ("outside/git.py", "def f():\n    import subprocess", "subprocess lives only in outside/processes"),
    ("leaderboard/execute.py", "import subprocess", "subprocess lives only in"),
    ("sources/a.py", "import httpx", "httpx lives only in outside"),
    ("sources/a.py", "from urllib.request import urlopen", "urllib.request lives only in outside"),
    ("sources/a.py", "from urllib import request", "urllib.request lives only in outside"),
    ("publishing/a.py", "from huggingface_hub import HfApi", "huggingface_hub lives only in outside"),
    ("languages/detect.py", "import tree_sitter", "tree_sitter lives only in languages/syntax"),
    ("the_stack/decide.py", "import sqlglot", "sqlglot lives only in the_stack/conditions, engine"),
    ("stages.py", "import click", "click lives only in commands"),
    ("commands/a.py", "import fastapi", "fastapi lives only in server"),
    ("tokens/a.py", "import torch", "torch lives only in starcoder2, training"),
    ("training/plan.py", "def f():\n    import torch.nn", "not for the torch-free modules"),
    ("completion/hosted.py", "import torch", "torch lives only in"),
    ("privacy/names.py", "import torch", "torch only inside a function here"),
    ("starcoder2/open.py", "import transformers", "transformers only inside a function here"),
    ("membership/check.py", "import tantivy", "tantivy lives only in search"),
    ("completion/local.py", "import tokenizers", "tokenizers lives only in tokens"),
    ("privacy/redact.py", "def f():\n    import torch", "torch lives only in"),
    # Names and sizes
    ("workspace/utils.py", "", "`utils` is no name"),
    ("report/helpers/a.py", "", "`helpers` is no name"),
    ("the_stack/core/__init__.py", "", "`core` is no name"),
    ("tokens/types.py", "", "`types` is no name"),
    ("tokens/common.py", "", "`common` is no name"),
    ("tokens/a.py", "\n" * 401, "longer than 400 lines"),
]


@pytest.mark.parametrize(("name", "text", "rule"), BREACHES, ids=lambda value: value[:40] if value else "empty")
def test_every_breach_is_told_with_file_line_and_rule(tmp_path, name, text, rule):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    found = violations(tmp_path)
    assert len(found) == 1
    place, line, told = found[0].split(":", 2)
    assert place == f"src/starloom/{name}"
    assert rule in told
    if "import" in text:
        last = max(number for number, one in enumerate(text.splitlines(), 1) if "starloom" in one or "import" in one)
        assert int(line) in (last, last - 1)


ALLOWED = [
    ("__init__.py", '__version__ = "1"'),
    ("workspace/a.py", "from starloom import __version__\nfrom starloom.workspace.b import c\nfrom . import b"),
    ("workspace/a.py", "from starloom.errors import UserError\nfrom starloom.engine.verbs import Engine"),
    ("workspace/a.py", "import pyarrow, numpy\nfrom importlib import import_module\nimport_module(name)"),
    ("documents/a.py", "from starloom.the_stack import tables\nfrom starloom.the_stack.opt_outs import covers"),
    ("the_stack/why.py", "from starloom.the_stack import decide\nfrom starloom.the_stack.read import x"),
    ("documents/collect.py", "from starloom.the_stack import measure, write"),
    ("stages.py", "from starloom.the_stack import list, read, measure, pair, decide, write"),
    ("publishing/verify.py", "from starloom.the_stack import write"),
    ("commands/build.py", "import click\nfrom starloom.stages import STAGES\nfrom starloom.server import app"),
    ("engine/local.py", "import duckdb"),
    ("engine/spark.py", "def f():\n    import pyspark, sqlglot"),
    ("kernels/lines.py", "import numba"),
    ("outside/processes.py", "import subprocess"),
    ("leaderboard/sandbox/run.py", "import subprocess"),
    ("outside/http.py", "import httpx\nimport urllib.request"),
    ("sources/a.py", "from urllib.parse import quote"),
    ("languages/syntax.py", "import tree_sitter"),
    ("the_stack/conditions.py", "import sqlglot"),
    ("privacy/names.py", "def f():\n    import torch"),
    ("training/loop.py", "import torch"),
    ("server/app.py", "import fastapi"),
]


@pytest.mark.parametrize(("name", "text"), ALLOWED, ids=lambda value: value[:40])
def test_what_is_allowed(tmp_path, name, text):
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert violations(tmp_path) == []


def test_every_breach_of_a_file_is_told(tmp_path):
    (tmp_path / "workspace").mkdir()
    (tmp_path / "workspace" / "a.py").write_text("import duckdb\nimport numba\nfrom starloom.dedup import a, b\n")
    assert [line.split(":")[1] for line in violations(tmp_path)] == ["1", "2", "3"]


def test_no_pattern_repeats_a_group_possessively():
    """Python's `re` finds such a repeat wrong before 3.11.5, which Debian 12 does not have (gh-106052); `(?>(...)*)` is
    the same and right."""
    repeated = re.compile(r"\)(?:[*+?]|\{\d*,?\d*\})\+")
    found = [
        f"{path}:{node.lineno}"
        for path in sorted(Path(starloom.__file__).parent.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant)
        and isinstance(text := node.value.decode("latin-1") if isinstance(node.value, bytes) else node.value, str)
        and "(?" in text
        and repeated.search(text)
    ]
    assert not found


def test_the_ground_is_light():
    """What every command imports first must not cost a second."""
    script = (
        "import sys, starloom, starloom.errors, starloom.settings, starloom.identity, starloom.progress\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "starloom" in loaded
    assert not loaded & {"numpy", "pyarrow", "duckdb", "numba", "torch", "pandas", "rich", "jinja2", "click", "sqlglot"}
