"""Who is asked: a script in bench/dedup/peers with the Python that has what the script needs."""

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

PEERS = Path(__file__).parent / "peers"
OURS, OURS_IN_MEMORY = "Starloom", "Starloom, texts in memory"


class Peer(NamedTuple):
    """One line of the tables."""

    python: str
    script: str
    arguments: tuple[str, ...] = ()
    signs: bool = True  # whether its signatures are timed: once is enough for what differs afterwards only

    def command(self, mode: str, *rest: str) -> list[str]:
        return [self.python, str(PEERS / self.script), mode, *rest, *self.arguments]


def options(parser: argparse.ArgumentParser) -> None:
    """One for each environment; what is not given is not asked."""
    parser.add_argument("--python", default=sys.executable, help="with datasketch and rensa (the extra `bench`)")
    parser.add_argument("--datatrove", metavar="PYTHON")
    parser.add_argument("--daft", metavar="PYTHON")
    parser.add_argument("--bigcode", nargs=3, metavar=("PYTHON", "PYTHON_V1", "CHECKOUT"), help="of bigcode-dataset")
    parser.add_argument("--text-dedup", nargs=2, metavar=("PYTHON", "CHECKOUT"))


def peers(given: argparse.Namespace) -> dict[str, Peer]:
    found = {
        OURS: Peer(sys.executable, "ask_starloom.py"),
        OURS_IN_MEMORY: Peer(sys.executable, "ask_starloom.py", ("--in-memory",), signs=False),
        "rensa": Peer(given.python, "ask_rensa.py"),
        "datasketch": Peer(given.python, "ask_datasketch.py"),
    }
    if given.daft:
        found["Daft"] = Peer(given.daft, "ask_daft.py")
    if given.text_dedup:
        python, checkout = given.text_dedup
        found["text-dedup"] = Peer(python, "ask_text_dedup.py", ("--checkout", checkout))
        found["text-dedup, verified"] = Peer(python, "ask_text_dedup.py", ("--checkout", checkout, "--verify"), False)
    if given.bigcode:
        python, python_v1, checkout = given.bigcode
        folder = Path(checkout) / "near_deduplication"
        script = str(folder / "bigcode-v2" / "intra_dedup.py")
        found["BigCode's v2 script"] = Peer(python, "ask_bigcode.py", ("--script", script))
        script = str(folder / "minhash_deduplication.py")
        found["BigCode's first script"] = Peer(python_v1, "ask_bigcode_v1.py", ("--script", script))
    if given.datatrove:
        found["datatrove"] = Peer(given.datatrove, "ask_datatrove.py")
    return found
