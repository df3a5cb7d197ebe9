"""One of several processes that train without graphics cards, one run after another; shares of a model too.

`python -m tests.training.sharded HOME RUNS` reads its place from the environment, as `torchrun` sets it. RUNS
is JSON: for each run a free port, whether the model is shared out (FSDP2), the arguments of `aizuchi train`.
Accelerate shares out on graphics cards alone, which the rest of it does not need.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from accelerate.state import AcceleratorState, PartialState
from accelerate.utils import DistributedType

from app.cli import run_verb
from app.errors import UserError
from app.paths import paths


@contextlib.contextmanager
def sharing() -> Iterator[None]:
    """Let Accelerate take processes without graphics cards for such that can share a model out."""
    begin = AcceleratorState.__init__

    def begun(self: AcceleratorState, *arguments: Any, fsdp_plugin: Any = None, **options: Any) -> None:
        fresh = not self.initialized
        begin(self, *arguments, fsdp_plugin=fsdp_plugin, **options)
        if fresh and fsdp_plugin is not None:
            self.fsdp_plugin = fsdp_plugin
            self.distributed_type = DistributedType.FSDP
            PartialState._shared_state["distributed_type"] = DistributedType.FSDP

    AcceleratorState.__init__ = begun
    try:
        yield
    finally:
        AcceleratorState.__init__ = begin


def main(home: str, runs: str) -> int:
    """Train as often as asked; return 1 where a run was refused, with the sentence on stderr."""
    for port, shared_out, arguments in json.loads(runs):
        os.environ["MASTER_PORT"] = str(port)
        os.environ["ACCELERATE_USE_FSDP"] = "true" if shared_out else "false"
        try:
            with sharing():
                run_verb("train", [*arguments, "--json"], paths(Path(home)))
        except UserError as fault:
            print(fault.sentence, file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
