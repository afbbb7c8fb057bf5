"""Plant faults, one by one, and see that tests notice: `make mutants`, or `python tests/mutants.py [NAME ...]`.

`mutants.toml` has for each fault a file, a text that is in it once, what is put in its place, why that is wrong, and
the tests that must fail. Every fault is planted into a copy of the files that git knows; the checkout stays as it is.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).parents[1]
TABLE = Path(__file__).with_name("mutants.toml")
CAUGHT, SURVIVED, UNCLEAR = "caught", "SURVIVED", "UNCLEAR"
LONGEST = 1200  # seconds for the tests of one fault; what hangs has been noticed


@dataclass(frozen=True)
class Fault:
    """A text of a file and what is put in its place; `why` it is wrong, and the `tests` that must fail."""

    name: str
    file: str
    text: str
    instead: str
    why: str
    tests: tuple[str, ...]

    def plant(self, folder: Path) -> None:
        """Put it into the files below a folder; `ValueError` unless the text is there exactly once."""
        path = folder / self.file
        before = path.read_text(encoding="utf-8")
        if (count := before.count(self.text)) != 1:
            raise ValueError(f"{self.name}: the text to be replaced is in {self.file} {count} times")
        path.write_text(before.replace(self.text, self.instead), encoding="utf-8")


def read(table: Path = TABLE) -> list[Fault]:
    """The faults of a table; `ValueError` for one without a reason or tests, and for a name that two have."""
    found = []
    for name, given in tomllib.loads(table.read_text(encoding="utf-8")).items():
        fault = Fault(name, given["file"], given["text"], given["instead"], given["why"], tuple(given["tests"]))
        if not fault.why or not fault.tests or fault.text == fault.instead:
            raise ValueError(f"{name} needs a reason, tests, and a change")
        found.append(fault)
    return found


def copy_of(root: Path, to: Path) -> None:
    """Copy the files that git knows, as they are now."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True).stdout
    for name in filter(None, listed.split("\0")):
        if (root / name).is_file():
            (to / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(root / name, to / name)


def tried(folder: Path, tests: Sequence[str]) -> tuple[int, str]:
    """The exit status of tests in a folder, and the last lines of what they printed; −1 after `LONGEST` seconds."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / ".numba")}
    environment["PYTHONDONTWRITEBYTECODE"] = (
        "1"  # kept code of a file of the same size and second would be taken for it
    )
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=LONGEST, check=False
        )
    except subprocess.TimeoutExpired:
        return -1, "it hangs"
    return done.returncode, "\n".join((done.stdout + done.stderr).splitlines()[-15:])


def judged(fault: Fault, folders: SimpleQueue[Path]) -> tuple[str, str]:
    """Whether the tests notice a fault, and their last lines if they do not."""
    folder = folders.get()
    try:
        path = folder / fault.file
        before = path.read_text(encoding="utf-8")
        try:
            fault.plant(folder)
            status, said = tried(folder, fault.tests)
        finally:
            path.write_text(before, encoding="utf-8")
    finally:
        folders.put(folder)
    # 2 and more: nothing was tested, because a module does not import or a test does not exist
    return {0: SURVIVED, 1: CAUGHT, -1: CAUGHT}.get(status, UNCLEAR), "" if status == 1 else said


def main(arguments: Sequence[str] | None = None, root: Path = ROOT, table: Path = TABLE) -> int:
    """Plant what is asked for; 0 if all was caught, 1 if something survived or could not be judged."""
    parser = argparse.ArgumentParser(description="Plant faults and see that tests notice.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which; all by default")
    parser.add_argument("--jobs", type=int, default=2, help="how many at once")
    asked = parser.parse_args(arguments)
    known = {fault.name: fault for fault in read(table)}
    if unknown := [name for name in asked.names if name not in known]:
        parser.error(f"there is no fault {unknown[0]}")
    faults = [known[name] for name in asked.names or known]
    with tempfile.TemporaryDirectory() as place:
        copies, folders, outcomes = [Path(place) / str(k) for k in range(asked.jobs)], SimpleQueue[Path](), []
        for folder in copies:
            copy_of(root, folder)
            folders.put(folder)
        needed = list(dict.fromkeys(test for fault in faults for test in fault.tests))
        shares = [share for k in range(asked.jobs) if (share := needed[k :: asked.jobs])]
        with ThreadPoolExecutor(asked.jobs) as pool:
            for status, said in pool.map(tried, copies, shares):
                if status:
                    print(f"without a fault the tests fail:\n{said}")
                    return 1
            for fault, (outcome, said) in zip(faults, pool.map(partial(judged, folders=folders), faults), strict=True):
                outcomes.append(outcome)
                print(f"{outcome:8}  {fault.name}: {fault.why}", flush=True)
                if outcome != CAUGHT:
                    print(said, flush=True)
    caught = outcomes.count(CAUGHT)
    print(f"{caught} of {len(faults)} faults were caught")
    return 0 if caught == len(faults) else 1


if __name__ == "__main__":
    sys.exit(main())
