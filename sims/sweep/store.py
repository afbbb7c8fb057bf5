"""The folder of results: one file a batch, and one for each job that failed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sims.engine.code import digest
from sims.sweep.checkpoints import Checkpoints
from sims.sweep.folder import LocalFolder, RemoteFolder, open_folder
from sims.sweep.machine import commit, this_machine
from sims.sweep.seal import seal, unseal
from sims.sweep.unite import TEXT, is_text, unite

KEY = re.compile(r"[0-9a-f]{32}")
RESULT = re.compile(rf"{KEY.pattern}\.parquet")
FAILURE = re.compile(rf"({KEY.pattern})\.json")
A = TypeVar("A")
B = TypeVar("B")
AT_ONCE, AT_ONCE_FAR = 2, 16  # files that are read at the same time, here and over a network


@dataclass(frozen=True)
class Kept:
    """A file of results: its name, its jobs (key, configuration key), the modules' digests, and what it ran on.

    Its jobs had one `shape` (a digest), used `numbers` coordinates of messages and took `seconds` together.
    """

    name: str
    jobs: tuple[tuple[str, str], ...]
    code: dict[str, str]
    machine: dict[str, Any]
    commit: str | None
    shape: str
    numbers: int
    seconds: float
    written: str


@dataclass(frozen=True)
class Scan:
    """What a folder held at one moment: files of results, and `broken` ones, each (name, why)."""

    files: tuple[Kept, ...] = ()
    broken: tuple[tuple[str, str], ...] = ()

    @cached_property
    def keys(self) -> dict[str, Kept]:
        """Where each job is, by its key; the first by name of several files."""
        return {key: kept for kept in reversed(self.files) for key, _ in kept.jobs}

    @cached_property
    def by_configuration(self) -> dict[str, list[Kept]]:
        """Where jobs of each configuration are, whatever the code."""
        found: dict[str, list[Kept]] = {}
        for kept in self.files:
            for _, configuration in kept.jobs:
                found.setdefault(configuration, []).append(kept)
        return found


class Results:
    """The results in a folder, at a path or at a URI that pyarrow or fsspec opens; the folder need not exist.

    Any number of processes may write and read at the same time. There is no lock and no index: a file is there whole
    or not at all, and vouches for its bytes. A `ValueError` says if the place is a file or no library knows the URI.

    >>> Results("no-such-folder").scan()
    Scan(files=(), broken=())
    """

    def __init__(self, where: str | Path) -> None:
        self.folder = open_folder(where)
        self._failures = self.folder.below("_failures")  # readers of a folder of Parquet files pass over such a name
        self.checkpoints = Checkpoints(self.folder) if isinstance(self.folder, LocalFolder) else None
        self._at_once = AT_ONCE_FAR if isinstance(self.folder, RemoteFolder) else AT_ONCE

    def scan(self) -> Scan:
        """Look at every file, down to its last byte; writes nothing. Files of other names are none of ours."""
        shared: dict[str, Any] = {}
        names = [name for name in self.folder.names() if RESULT.fullmatch(name)]
        found = self._each(lambda name: self._look(name, shared), names)
        return Scan(
            tuple(kept for kept in found if isinstance(kept, Kept)),
            tuple((name, why) for name, why in zip(names, found, strict=True) if isinstance(why, str)),
        )

    def write(self, rows: pa.Table, about: Mapping[str, Any]) -> str:
        """Keep the rows of a batch, durably, and return the name of their file.

        `about` has "jobs" ([key, configuration key] of each), "code" (the digests of modules), "shape", "numbers" and
        "seconds"; machine, commit and time are added. The same batch twice is one file, unless on two machines.
        Raises `OSError` in one sentence if it cannot be written, and `ValueError` if rows and jobs have other keys.
        """
        keys = sorted(key for key, _ in about["jobs"])
        if set(rows["key"].unique().to_pylist()) != set(keys) or len(set(keys)) < len(keys):
            raise ValueError(f"rows need exactly the keys of the {len(keys)} jobs that they are about, each job once")
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        kept = {name: about[name] for name in ("jobs", "code", "shape", "numbers", "seconds")}
        content = seal(rows, {**kept, "machine": this_machine(), "commit": commit(), "written": now})
        name = _name(keys)
        self.folder.write(name, content)
        return name

    def hold(self, keys: Iterable[str]) -> bool:
        """Whether the file that `write` would make here for these jobs is there, and sound."""
        return isinstance(self._look(_name(sorted(keys)), {}), Kept)

    def rows(self, scan: Scan, keys: Iterable[str] | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows of all jobs, or of those with these `keys`: each job once, from the first file by name that has it.

        A file that broke since the scan is passed over, and its jobs are taken from another one if there is one. Texts
        come as dictionaries; what a file has no column for is null; see `unite` for columns of several types.
        """
        left = set(scan.keys) if keys is None else scan.keys.keys() & set(keys)
        lost: set[str] = set()
        tables: list[tuple[str, pa.Table]] = []
        while claims := _claims((kept for kept in scan.files if kept.name not in lost), left):
            found = self._each(lambda claim: self._read(*claim, columns), claims)
            for (kept, mine), table in zip(claims, found, strict=True):
                if table is None:
                    lost.add(kept.name)
                else:
                    left -= mine
                    tables.append((kept.name, table))
        ordered = [table for _, table in sorted(tables, key=lambda named: named[0])]
        if columns is None:
            columns = list(dict.fromkeys(name for table in ordered for name in table.column_names)) or ["key", "t"]
        return unite(ordered or [pa.table({"key": pa.array([], TEXT), "t": pa.array([], pa.int64())})], columns)

    def rows_of(self, kept: Kept, keys: Iterable[str]) -> pa.Table | None:
        """The rows of these jobs in one file; None if it broke since the scan."""
        return self._read(kept, set(keys), None)

    def fail(self, key: str, report: Mapping[str, Any]) -> None:
        """Keep why a job failed, in place of what was kept for it before; `OSError` as for `write`."""
        if not KEY.fullmatch(key):
            raise ValueError(f"key needs 32 hexadecimal digits, got {key!r}")
        self._failures.write(f"{key}.json", json.dumps(report, indent=1, default=repr).encode())

    def failures(self) -> dict[str, dict[str, Any]]:
        """What was kept of jobs that failed, by key; what cannot be read is left out."""
        found = {}
        for name in self._failures.names():
            if failed := FAILURE.fullmatch(name):
                try:
                    report = json.loads(self._failures.read(name))
                except (OSError, ValueError):
                    continue
                if isinstance(report, dict):
                    found[failed[1]] = report
        return found

    def forget_failure(self, key: str) -> None:
        """Drop what was kept of a failure, if anything was."""
        self._failures.remove(f"{key}.json")

    def sweep_leftovers(self) -> None:
        """Remove what killed processes of this host had begun to write, and checkpoints of what is done."""
        self.folder.sweep_leftovers()
        self._failures.sweep_leftovers()
        if self.checkpoints is not None:
            self.checkpoints.folder.sweep_leftovers()
            there = set(self.folder.names())
            for key in self.checkpoints.begun():  # a job that keeps a checkpoint is alone in its file
                if _name([key]) in there:
                    self.checkpoints.forget(key)

    def _each(self, work: Callable[[A], B], items: Sequence[A]) -> list[B]:
        """What `work` makes of each item, several at a time: disks and networks answer late."""
        many = self._at_once
        found: list[Any] = [None] * len(items)

        def share(start: int) -> None:
            for k in range(start, len(items), many):
                found[k] = work(items[k])

        with ThreadPoolExecutor(many) as pool:
            list(pool.map(share, range(many)))
        return found

    def _look(self, name: str, shared: dict[str, Any]) -> Kept | str:
        """The file, or why it is broken; equal parts of several files are kept once, in `shared`."""
        try:
            about = unseal(self.folder.read(name))
            code, where = (shared.setdefault(repr(about[part]), about[part]) for part in ("code", "machine"))
            jobs = tuple((key, configuration) for key, configuration in about["jobs"])
            told = (about[part] for part in ("commit", "shape", "numbers", "seconds", "written"))
            return Kept(name, jobs, code, where, *told)
        except OSError as error:
            return error.strerror or str(error)
        except ValueError as error:
            return str(error)

    def _read(self, kept: Kept, keys: set[str], columns: Sequence[str] | None) -> pa.Table | None:
        """The rows of these keys; `None` if the file is not what it was."""
        try:
            content = self.folder.read(kept.name)
            unseal(content)
        except (OSError, ValueError):
            return None
        whole = pq.ParquetFile(pa.BufferReader(content))
        texts = [field.name for field in whole.schema_arrow if is_text(field.type)]
        file = pq.ParquetFile(pa.BufferReader(content), metadata=whole.metadata, read_dictionary=texts)
        # "rule" reads "rule.tau" too, as if that were a part of it; `unite` takes what was asked for
        table = file.read(None if columns is None else ["key", *columns], use_threads=False)
        if len(keys) < len(kept.jobs):
            table = table.filter(
                pc.call_function("is_in", [table["key"]], pc.SetLookupOptions(pa.array(keys, pa.string())))
            )
        return table


def _name(keys: Sequence[str]) -> str:
    """Of the file with these jobs, in order, on this machine."""
    return f"{digest(json.dumps([keys, this_machine()['fingerprint']]))}.parquet"


def _claims(files: Iterable[Kept], keys: set[str]) -> list[tuple[Kept, set[str]]]:
    """Which file each key is to be read from: the first that has it."""
    left, claims = set(keys), []
    for kept in files:
        mine = left.intersection(key for key, _ in kept.jobs)
        if mine:
            claims.append((kept, mine))
            left -= mine
    return claims
