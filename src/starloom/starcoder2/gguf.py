"""GGUF, the format of llama.cpp, made by its own converter where that is installed.

The converter knows a tokenizer by what it makes of a sample text, so none that was learnt since. Those learnt here cut
text as StarCoder's does, which llama.cpp calls `starcoder`: where the converter gives up on one, it is told so.
"""

import json
import os
import sys
from pathlib import Path
from typing import Final

from starloom.errors import UserError
from starloom.outside import processes
from starloom.outside.paths import printable
from starloom.workspace import atomic, operations

CONVERTER: Final = "convert_hf_to_gguf.py"
_TYPES: Final = {"float32": "f32", "bfloat16": "bf16", "float16": "f16"}
_SECONDS: Final = 6 * 3600.0  # a converter may take
_CUTS: Final = (  # StarCoder's pre-tokenizer, as tokenizer.json has it
    {"type": "Digits", "individual_digits": True},
    {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
)
# Runs the script, and answers where it asks which tokenizer it has and finds none.
_TOLD: Final = """
import functools, importlib.util, sys
sys.argv = sys.argv[1:]
script = sys.argv[0]
sys.path.insert(0, script.rpartition("/")[0])
spec = importlib.util.spec_from_file_location("convert_hf_to_gguf", script)
module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
asked = "get_vocab_base_pre"
for name in [name for name in sys.modules if name.partition(".")[0] in (spec.name, "conversion")]:
    for kind in [one for one in vars(sys.modules[name]).values() if isinstance(one, type) and asked in vars(one)]:
        def answer(self, tokenizer, own=vars(kind)[asked]):
            try:
                return own(self, tokenizer)
            except NotImplementedError:
                return "starcoder"
        if vars(kind)[asked].__name__ != answer.__name__:
            setattr(kind, asked, answer)
module.main()
"""


def convert(folder: Path, converter: str, dtype: str) -> Path:
    """Has llama.cpp's converter make FOLDER.gguf of an exported folder; that file's path.

    converter: as `find` takes it. Raises UserError: it is not there, or could not convert (its last words are told).
    """
    target = folder.absolute().with_name(f"{folder.absolute().name}.gguf")
    script = find(converter)
    aside = atomic.aside_name(target)
    asked = [str(script), str(folder.absolute()), "--outfile", str(aside), "--outtype", _TYPES.get(dtype, "auto")]
    wanted = [sys.executable, *(["-c", _TOLD] if _cuts_as_starcoder(folder) else []), *asked]
    env = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    with operations.explained(target):
        try:
            done = processes.run(wanted, env, timeout=_SECONDS)
            if done.returncode or not aside.is_file():
                said = [line for line in done.stderr.strip().splitlines() if line.strip()]
                raise UserError(
                    f"{script} could not convert {folder}: {printable(said[-1]) if said else 'it said nothing'}",
                    "install its requirements; a tokenizer that llama.cpp does not know cannot be converted. The "
                    f"folder itself is whole; to see all that it says: {sys.executable} {' '.join(asked[:2])}",
                )
            operations.sync_file(aside)
            operations.rename(aside, target)
        except processes.ProcessError as problem:
            raise UserError(f"{script} did not end: {problem}", "run it by hand on the exported folder") from None
        finally:
            aside.unlink(missing_ok=True)
    return target


def find(named: str) -> Path:
    """The script: a path, the folder that it is in, or a name on the PATH.

    Raises UserError, which says how to get it.
    """
    remedy = (
        "git clone https://github.com/ggml-org/llama.cpp, install its requirements, and give the path: "
        f"--gguf llama.cpp/{CONVERTER}"
    )
    path = Path(named).expanduser()
    for one in (path, path / CONVERTER):
        if one.is_file():
            return one.absolute()
    if os.sep not in named:
        for place in os.environ.get("PATH", "").split(os.pathsep):
            if place.startswith(os.sep) and (Path(place) / named).is_file():
                return Path(place) / named
    raise UserError(f"llama.cpp's converter is not at {named}, nor on the PATH", remedy)


def _cuts_as_starcoder(folder: Path) -> bool:
    """Whether the tokenizer in `folder` splits text into words as StarCoder's does."""
    try:
        table = json.loads((folder / "tokenizer.json").read_bytes())
        parts = table["pre_tokenizer"]["pretokenizers"]
        same = [wanted.items() <= part.items() for wanted, part in zip(_CUTS, parts, strict=True)]
        return all(same) and table.get("normalizer") is None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return False  # it has none, or another
