"""The results of a sweep from folders that hold those of many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa

from sims.by_name import nearest, parse_settings
from sims.sweep.file import Sweep
from sims.sweep.store import Results
from sims.sweep.table import SEED, TIME


def chosen_keys(sweep: Sweep, choices: Iterable[str]) -> list[str]:
    """The keys of those jobs that have, of each setting that `choices` name, one of the values named with it.

    A choice is "rule=Krum"; several of one setting are alternatives. Raises `ValueError` for another form, a setting
    that no job has, and if no job is left.
    """
    choices = list(choices)
    wanted: dict[str, list[Any]] = {}
    for text in choices:
        path, _, written = text.partition("=")
        if not written:
            raise ValueError(f"a choice is written path=value, got {text!r}")
        [value] = parse_settings([f"value={written}"]).values()
        wanted.setdefault(path, []).append({"true": True, "false": False}.get(written, value))
    known = {name: None for cell in sweep.cells for name in cell.settings} | {SEED: None} if wanted else {}
    for path in wanted:
        if path not in known:
            whole = [name for name in known if name.endswith(f".{path}")]
            hint = f"; did you mean {whole[0]}?" if len(whole) == 1 else nearest(path, known)
            raise ValueError(f"no job has a setting {path!r}{hint}")
    seeds = wanted.pop(SEED, None)
    keys = []
    for cell in sweep.cells:
        settings = cell.settings if wanted else {}
        if all(settings.get(path) in values for path, values in wanted.items()):
            keys += [cell.key(seed) for seed in cell.seeds if seeds is None or seed in seeds]
    if not keys:
        there = {
            path: ", ".join(dict.fromkeys(str(cell.settings[path]) for cell in sweep.cells if path in cell.settings))
            for path in wanted
        }
        has = "; ".join(f"{path} is one of {values}" for path, values in there.items())
        raise ValueError(f"no job of the sweep has {' and '.join(choices)}" + (f" ({has})" if has else ""))
    return keys


def gathered(sweep: Sweep, folders: Sequence[str], keys: Sequence[str], value: str | None) -> tuple[pa.Table, int]:
    """The rows of these jobs, each from the first folder that has it, and how many jobs are in none.

    The columns are key, t, seed, the axes of the sweep and the measure `value`, or all measures if there is none of
    that name, so that what reads them can tell which there are. Raises `ValueError` if there are no results.
    """
    columns = ["key", TIME, *([value] if value else []), *dict.fromkeys([SEED, *sweep.axes])]
    left, tables = set(keys), []
    for folder in folders:
        results = Results(folder)
        scan = results.scan()
        if mine := left & scan.keys.keys():
            sample = results.rows(scan, [min(mine)]).column_names
            others = [name for name in sample if name not in columns]
            wanted = columns if value in sample else [*(name for name in columns if name != value), *others]
            tables.append(results.rows(scan, mine, wanted))
            left -= set(tables[-1]["key"].unique().to_pylist())
    if not tables:
        raise ValueError(f"there are no results of these jobs with the present code: byzcheck sweep plan {sweep.path}")
    return pa.concat_tables(tables, promote_options="permissive"), len(left)


def by_file(folders: Sequence[str], keys: Iterable[str]) -> Iterator[tuple[str, pa.Table]]:
    """The rows of these jobs in every file that has some, with the file's place and machine."""
    wanted = set(keys)
    for folder in folders:
        results = Results(folder)
        for kept in results.scan().files:
            if mine := wanted & {key for key, _ in kept.jobs}:
                rows = results.rows_of(kept, mine)
                if rows is not None:
                    yield f"{folder}/{kept.name} ({kept.machine['processor']}, {kept.machine['host']})", rows
