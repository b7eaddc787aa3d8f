"""Starts the processes of a run, as torchrun does, and waits for them: `python ranks.py N ROOT SETTINGS`.

They are forked from one process that has imported everything: torchrun imports it all once more for each. Prints their
process ids, one a line, then the exit status of each. SETTINGS: JSON, a TrainSettings; the run is called `small`.
"""

import contextlib
import json
import os
import socket
import sys
from pathlib import Path

import torch._dynamo
import torch.distributed.fsdp  # noqa: F401 - once for all of them

from starloom.errors import UserError
from starloom.training import pretraining
from starloom.training.settings import TrainSettings


def main(processes: int, root: Path, settings: TrainSettings) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    started = []
    for rank in range(processes):
        if pid := os.fork():
            started.append(pid)
        else:
            os.environ |= {"RANK": str(rank), "WORLD_SIZE": str(processes), "LOCAL_RANK": str(rank)}
            os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
            os._exit(train(root, settings))
    print(*started, sep="\n", flush=True)
    for pid in started:
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


def train(root: Path, settings: TrainSettings) -> int:
    """The exit status of one process, as `starloom train` has it."""
    status = 1
    with contextlib.suppress(SystemExit):
        try:
            pretraining.train(root, settings, "small", command="test")
            status = 0
        except UserError as problem:
            print(f"error: {problem.problem}\nhint: {problem.hint}", file=sys.stderr)
        except KeyboardInterrupt:
            status = 130
    sys.stdout.flush()
    sys.stderr.flush()
    return status


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]), TrainSettings(**json.loads(sys.argv[3])))
