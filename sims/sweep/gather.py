"""The results of a sweep from folders that hold those of many."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from sims.by_name import nearest, parse_settings
from sims.sweep.cell import PLAIN, Cell, column
from sims.sweep.file import Sweep
from sims.sweep.parts import KINDS, Part
from sims.sweep.store import Results
from sims.sweep.table import SEED, TIME
from sims.sweep.unite import TEXT

Jobs = Mapping[str, tuple[Cell, int]]  # by their keys


def chosen_jobs(sweep: Sweep, choices: Iterable[str]) -> Jobs:
    """Those jobs that have, of each setting that `choices` name, one of the values named with it.

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
    jobs = {}
    for cell in sweep.cells:
        settings = cell.settings if wanted else {}
        if all(_among(settings.get(path), values) for path, values in wanted.items()):
            own = [seed for seed in cell.seeds if seeds is None or seed in seeds]
            jobs |= {key: (cell, seed) for seed, (key, _) in zip(own, cell.keys(own), strict=True)}
    if not jobs:
        there = {
            path: ", ".join(dict.fromkeys(str(cell.settings[path]) for cell in sweep.cells if path in cell.settings))
            for path in wanted
        }
        has = "; ".join(f"{path} is one of {values}" for path, values in there.items())
        raise ValueError(f"no job of the sweep has {' and '.join(choices)}" + (f" ({has})" if has else ""))
    return jobs


def chosen_cells(sweep: Sweep, choices: Iterable[str]) -> tuple[Cell, ...]:
    """The cells of the sweep with those of their seeds whose jobs are chosen; `ValueError` as for `chosen_jobs`."""
    seeds: dict[int, list[int]] = {}
    for cell, seed in chosen_jobs(sweep, choices).values():
        seeds.setdefault(id(cell), []).append(seed)
    left = [(cell, tuple(seeds[id(cell)])) for cell in sweep.cells if id(cell) in seeds]
    return tuple(dataclasses.replace(cell, seeds=own) for cell, own in left)


def _among(setting: Any, values: Sequence[Any]) -> bool:
    """Whether a setting, a list as its JSON, is one of these values."""
    lists = any(isinstance(value, list) for value in values) and isinstance(setting, str) and setting.startswith("[")
    return setting in values or (lists and json.loads(setting) in values)


def cells_of(jobs: Jobs, paths: Iterable[str]) -> list[dict[str, Any]]:
    """The settings that these jobs have along `paths`, each combination once, with the values that a table has."""
    columns = {path: _column(_values(jobs, path)).to_pylist() for path in paths}
    return [dict(zip(columns, place, strict=True)) for place in dict.fromkeys(zip(*columns.values(), strict=True))]


def gathered(sweep: Sweep, folders: Sequence[str], jobs: Jobs, value: str | None) -> tuple[pa.Table, int]:
    """The rows of these jobs, each from the first folder that has it, and how many jobs are in none.

    The columns are key, t, the measure `value`, or all measures if there is none of that name, so that what reads them
    can tell which there are, the seed and the axes of the sweep. Settings are as this sweep calls them, whichever has
    played the job. Raises `ValueError` if there are no results.
    """
    settings = list(dict.fromkeys([SEED, *sweep.axes]))
    columns, left, tables = ["key", TIME, *([value] if value else [])], set(jobs), []
    for folder in folders:
        results = Results(folder)
        scan = results.scan()
        if mine := left & scan.keys.keys():
            found = results.rows(scan, mine, columns if value else None)
            if value and types.is_null(found[value].type):
                found = results.rows(scan, mine)
            tables.append(found.select([name for name in found.column_names if name not in settings]))
            left -= set(tables[-1]["key"].unique().to_pylist())
    if not tables:
        raise ValueError(f"there are no results of these jobs with the present code: byzcheck sweep plan {sweep.path}")
    rows = pa.concat_tables(tables, promote_options="permissive").unify_dictionaries()
    keys = rows["key"].combine_chunks()
    places = pc.index_in(keys.dictionary, pa.array(list(jobs), pa.string())).take(keys.indices)  # pyright: ignore
    for path in settings:
        rows = rows.append_column(path, _column(_values(jobs, path)).take(places))
    return rows, len(left)


def _values(jobs: Jobs, path: str) -> list[Any]:
    """A setting of each job, None where it does not belong."""
    if path == SEED:
        return [seed for _, seed in jobs.values()]
    if path == "delta":
        return [cell.f / cell.n for cell, _ in jobs.values()]
    if path in PLAIN:
        return [column(getattr(cell, path)) for cell, _ in jobs.values()]
    place, known = KINDS.index(path.partition(".")[0]), dict[Part, Any]()
    parts = [cell.parts[place] for cell, _ in jobs.values()]
    for part in parts:
        if part not in known:
            known[part] = column(part.settings.get(path))
    return [known[part] for part in parts]


def _column(values: Sequence[Any]) -> pa.Array:
    """Values of a setting: numbers together are reals, and of several kinds texts, the JSON of what was none."""
    kinds = {type(value) for value in values} - {type(None)}
    if kinds == {int, float}:
        return pa.array(values, pa.float64())
    if len(kinds) > 1:
        values = [v if v is None or isinstance(v, str) else json.dumps(v) for v in values]
    found = pa.array(values)
    return found.cast(pa.string()).dictionary_encode().cast(TEXT) if str in kinds else found


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
