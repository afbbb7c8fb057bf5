"""One stage in a process of its own: `python -m benchmarks.on_gpu.run_stage NAME FILE SECONDS`."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

from benchmarks.on_gpu.stages import write

STAGES = {
    "device": ("device", "looked_at"),
    "rules": ("measured", "of_rules"),
    "networks": ("measured", "of_networks"),
    "training": ("training", "trained"),
}


def main(arguments: list[str]) -> int:
    """Run it, keep what it finds in the file, and say in one sentence what was wrong if anything was."""
    name, file, seconds = arguments
    module, function = STAGES[name]
    kept = {}

    def keep(found: dict[str, object]) -> None:
        kept.update(found)
        write(Path(file), kept)

    try:
        getattr(importlib.import_module(f"benchmarks.on_gpu.{module}"), function)(keep, float(seconds))
    except (ValueError, ImportError) as error:
        keep({"wrong": str(error)})
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
