"""False results, to be planted into tables: what a rule must notice."""

from __future__ import annotations

from collections.abc import Callable

from theory.experiments.results import NotRunError, Row, Tables, Where


def exchanged(stem: str, path: str, one: object, other: object) -> Callable[[Tables], Tables]:
    """The tables in which two values of a setting have changed places; `NotRunError` without both."""
    places = {one: other, other: one}

    def change(row: Row) -> Row:
        return {**row, path: places.get(row[path], row[path])}

    def plant(tables: Tables) -> Tables:
        if missing := [value for value in places if value not in tables[stem].values(path)]:
            raise NotRunError(f"{stem}.json has no {path} = {missing[0]}")
        return tables.changed(stem, change)

    return plant


def copied(stem: str, to: Where, of: Where, measure: str | None = None) -> Callable[[Tables], Tables]:
    """The tables in which runs with the settings `to` measured what those with `of` did, all or one thing, by seed."""

    def plant(tables: Tables) -> Tables:
        table = tables[stem]
        source = {(seed, row["t"]): row for seed, rows in table.cell(of).runs.items() for row in rows}
        kept = {*table.axes, "seed", "t", "key"}

        def change(row: Row) -> Row:
            here = all({**table.same, **row}.get(path) == value for path, value in to.items())
            other = source.get((row["seed"], row["t"])) if here else None
            new = {k: v for k, v in (other or {}).items() if k not in kept and measure in (None, k)}
            return {**row, **new}

        table.cells(to)  # which says if there is none
        return tables.changed(stem, change)

    return plant


def turned(stem: str, one: str, other: str) -> Callable[[Tables], Tables]:
    """The tables in which two measures have changed their names."""
    return lambda tables: tables.changed(
        stem, lambda row: {{one: other, other: one}.get(name, name): value for name, value in row.items()}
    )


def scaled(stem: str, measure: str, factor: float) -> Callable[[Tables], Tables]:
    """The tables in which one measure is so many times what it was."""

    def change(row: Row) -> Row:
        value = row.get(measure)
        return {**row, measure: factor * value} if isinstance(value, int | float) else row

    return lambda tables: tables.changed(stem, change)
