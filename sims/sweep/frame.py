"""The frame of a sweep's file: which keys there are, and of which type their values."""

from __future__ import annotations

import copy
import functools
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    Strict,
    Tag,
    ValidationError,
    create_model,
)

from sims.by_name import nearest
from sims.sweep import axes
from sims.sweep.lines import Path

Problem = tuple[Path, str]  # where it is, and a sentence
ONE, MANY, TABLE = "<one>", "<many>", "<table>"  # no keys: pydantic puts them into its paths
BROKEN: Any = object()  # stands for a value that has been found to be wrong
DIGITS = 300  # of a whole number: more is no number that anything here can mean


def _shape(written: Any) -> str:
    return MANY if isinstance(written, list) else TABLE if isinstance(written, dict) else ONE


def _spacing(item: Any) -> Any:
    """A spacing all whose values are items; a range is asked at its ends."""

    def check(table: Any) -> Any:
        found = axes.spaced(table)
        for value in (found[0], found[-1]) if isinstance(found, range) else found:
            item(value)
        return table

    return AfterValidator(check)


def _either(**shapes: Any) -> Any:
    """A type for each of the shapes `one`, `many` and `table` of what is written."""
    tagged: list[Any] = [Annotated[item, Tag(f"<{shape}>")] for shape, item in shapes.items()]
    return Annotated[functools.reduce(operator.or_, tagged), Discriminator(_shape)]


def _several(item: Any) -> Any:
    return Annotated[list[item], Field(min_length=1)]


def _axis(item: Any, check: Any) -> Any:
    """An item, a list of items, or a spacing."""
    return _either(one=item, many=_several(item), table=Annotated[Any, _spacing(check)])


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a number, got {shown(value)}")
    if not -1e308 <= value <= 1e308:
        raise ValueError(
            f"must be a finite number, got {value if isinstance(value, float) else 'one that is too large'}"
        )
    return value


def _whole(least: int) -> Any:
    def check(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int):
            raise ValueError(f"must be a whole number, got {shown(value)}")
        if not least <= value < 2**63:
            raise ValueError(f"must be ≥ {least}{'' if value < least else ' and not so large'}, got {shown(value)}")
        return value

    return check


def _value(value: Any) -> Any:
    """A setting's value: a number, a text, true or false, or nested lists of these."""
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        raise ValueError("must not be NaN")
    if not isinstance(value, bool | int | float | str):
        raise ValueError(f"must be a number, a text, true or false, or a list of these, got {shown(value)}")
    if isinstance(value, int) and abs(value) >= 10**DIGITS:
        raise ValueError("must be a number of fewer digits")
    return value


def _axis_of(check: Any) -> Any:
    return _axis(_checked(check), check)


def _checked(check: Any) -> Any:
    return Annotated[Any, BeforeValidator(check)]


def _model(**fields: Any) -> Any:
    """A table in which any of these keys may be, and no others."""
    optional: dict[str, Any] = {name: (kind | None, None) for name, kind in fields.items()}
    return create_model("_Table", __config__=ConfigDict(extra="forbid"), **optional)


TEXT, FLAG = Annotated[str, Strict()], Annotated[bool, Strict()]
TEXTS: Any = _either(one=TEXT, many=_several(TEXT))


class _Named(BaseModel):
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _axis_of(_value)]  # pyright: ignore (pydantic reads it)

    name: TEXTS  # pyright: ignore[reportInvalidTypeForm] (pydantic reads it)


PART = _either(one=TEXT, table=_Named, many=_several(_either(one=TEXT, table=_Named)))
KEYS = {
    "n": _axis_of(_whole(1)),
    "f": _axis_of(_whole(0)),
    "delta": _axis_of(_number),
    "steps": _axis_of(_whole(1)),
    "every": _axis_of(_whole(1)),
    "seed": _axis_of(_whole(0)),
    "x0": _axis(_either(one=_checked(_number), many=_several(_checked(_number))), _number),
    "shuffle": _either(one=FLAG, many=_several(FLAG)),
    "backend": TEXTS,
    "problem": PART,
    "optimizer": PART,
    "rule": PART,
    "attack": PART,
    "observe": _several(_either(one=TEXT, table=_Named)),
    "zip": list[list[TEXT]],
}
PLOT = dict.fromkeys(("x", "y", "lines", "panels", "rows", "columns", "kind", "title"), TEXT) | {
    "logx": FLAG,
    "logy": FLAG,
}
_Block, _Plot = _model(**KEYS), _model(**PLOT)
_File = _model(title=TEXT, **KEYS, block=_several(_Block), plot=_Plot)


WANTED = {
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a table",
    "model_attributes_type": "a table",
    "dict_type": "a table",
}


def problems(data: Mapping[str, Any]) -> list[Problem]:
    """What is wrong with the keys and types of a file, a path and a sentence for each."""
    try:
        _File.model_validate(data)
    except ValidationError as error:
        return [_problem(one) for one in error.errors(include_url=False)]
    return []


def without(data: Mapping[str, Any], found: Sequence[Problem]) -> dict[str, Any]:
    """The data with `BROKEN` under the keys in which a problem is, so that the rest can be checked."""
    rest: Any = copy.deepcopy(dict(data))
    for path, _ in found:
        while not isinstance(path[-1], str):
            path = path[:-1]
        table = rest
        for part in path[:-1]:
            table = BROKEN if table is BROKEN else table[part]
        if table is not BROKEN:
            table[path[-1]] = BROKEN
    return rest


def _problem(error: Any) -> Problem:
    path: Path = tuple(part for part in error["loc"] if part not in (ONE, MANY, TABLE))
    kind, name = error["type"], named(path)
    if kind == "extra_forbidden":
        table = path[:-1]
        known = (_Plot if table == ("plot",) else _Block if table else _File).model_fields
        place = f" in [{named(table, whole=True)}]" if table else ""
        return path, f"unknown key {path[-1]!r}{place}{nearest(str(path[-1]), known)} (known: {', '.join(known)})"
    if kind == "missing":
        return path[:-1], f"{named(path[:-1])} needs a name"
    if kind == "too_short":
        return path, f"{name} has no values: the list is empty"
    if kind in WANTED:
        return path, f"{name} must be {WANTED[kind]}, got {shown(error['input'])}"
    return path, f"{name} {error['ctx']['error'] if kind == 'value_error' else error['msg']}"


def named(path: Path, whole: bool = False) -> str:
    """A path as it is written in a sentence: names with points between, without the block and the indices."""
    names = [str(part) for part in path if isinstance(part, str)]
    return ".".join(names if whole or names[:1] != ["block"] or len(names) == 1 else names[1:])


def shown(value: Any) -> str:
    """A value as a file has it, shortened; a text that is a number says that it is one."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return "a list"
    text = str(value) if not isinstance(value, int) or abs(value) < 10**40 else "a number of many digits"
    text = text if len(text) <= 40 else text[:37] + "…"
    if not isinstance(value, str):
        return text
    return f'the text "{text}"' + (": a number is written without quotes" if _reads_as_number(value) else "")


def _reads_as_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
