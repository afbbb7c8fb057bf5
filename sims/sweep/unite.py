"""Tables of different columns and types as one table."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pyarrow as pa
from pyarrow import types

TEXT = pa.dictionary(pa.int32(), pa.string())


def is_text(kind: pa.DataType) -> bool:
    """Whether these are texts, each written out or numbered in a dictionary."""
    return (
        types.is_string(kind) or types.is_large_string(kind) or (types.is_dictionary(kind) and is_text(kind.value_type))
    )


def unite(tables: Sequence[pa.Table], columns: Sequence[str]) -> pa.Table:
    """The rows of all tables, those of one schema after each other; a column that a table does not have is null there.

    Texts become dictionaries. Integers and floats together become floats; what does not go together (numbers with
    texts or truth values, or an integer that is no float) becomes texts, the JSON of a value that was none.
    """
    alike: list[list[pa.Table]] = []
    for table in tables:  # most often all are, and then it is pyarrow that does the work
        group = next((group for group in alike if group[0].schema.equals(table.schema)), None)
        alike.append([table]) if group is None else group.append(table)
    groups = [pa.concat_tables(group) for group in alike]
    found = {name: _together([_column(group, name) for group in groups]) for name in columns}
    return pa.table(found).unify_dictionaries()


def _column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        return pa.chunked_array([pa.nulls(len(table))])
    return table[name].cast(TEXT) if is_text(table[name].type) else table[name]


def _together(parts: list[pa.ChunkedArray]) -> pa.ChunkedArray:
    kinds = {part.type for part in parts} - {pa.null()}
    numbers = {kind for kind in kinds if types.is_integer(kind) or types.is_floating(kind)}
    if len(numbers) > 1:
        try:
            parts = [part.cast(pa.float64()) if part.type in numbers else part for part in parts]
        except pa.ArrowInvalid:  # beyond 2^53
            kinds.add(TEXT)
        else:
            kinds = kinds - numbers | {pa.float64()}
    kind = TEXT if len(kinds) > 1 else next(iter(kinds), pa.null())
    chunks = [chunk for part in parts for chunk in (_as_text(part) if kind == TEXT else part.cast(kind)).chunks]
    return pa.chunked_array(chunks, type=kind)


def _as_text(part: pa.ChunkedArray) -> pa.ChunkedArray:
    if part.type in (TEXT, pa.null()):
        return part.cast(TEXT)
    whole = part.combine_chunks().dictionary_encode()
    values = pa.array([json.dumps(value) for value in whole.dictionary.to_pylist()], pa.string())
    return pa.chunked_array([pa.DictionaryArray.from_arrays(whole.indices, values)], type=TEXT)
