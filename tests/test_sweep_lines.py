"""The lines of a file's values: hand-written layouts, and generated files whose lines are known as they are written."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims.sweep.lines import Lines


def paths(value: Any, path: tuple = ()) -> Iterator[tuple]:
    """All paths of what a TOML text was read as."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from paths(inner, (*path, key))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a.b = 1\nc = 2\na.d = 3\n", {("a",): 1, ("a", "b"): 1, ("c",): 2, ("a", "d"): 3}),
        ("[a.b]\nx = 1\n[c]\n[a]\nz = 2\n", {("a",): 4, ("a", "b"): 1, ("a", "b", "x"): 2, ("a", "z"): 5}),
        (  # two tables of one array, another table between them
            "[[rule]]\nname = 'A'\n[plot]\nx = 1\n[[rule]]\nname = 'B'\n",
            {("rule",): 1, ("rule", 0): 1, ("rule", 1): 5, ("rule", 1, "name"): 6, ("plot", "x"): 4},
        ),
        (
            "[[block]]\n[[block.rule]]\na = 1\n[[block.rule]]\na = 2\n[[block]]\n[block.rule.b]\nc = 1\n",
            {
                ("block", 0, "rule", 0, "a"): 3,
                ("block", 0, "rule", 1): 4,
                ("block", 1): 6,
                ("block", 1, "rule"): 7,
                ("block", 1, "rule", "b", "c"): 8,
            },
        ),
        ("x = { a.b = 1, c = [1,\n2], d = { e = 3 } }\n", {("x", "a", "b"): 1, ("x", "c", 1): 2, ("x", "d", "e"): 2}),
        ("x = [ # [\n  1, # ]\n\n  [2,\n 3],\n]\ny = 1\n", {("x", 0): 2, ("x", 1): 4, ("x", 1, 1): 5, ("y",): 7}),
        ('x = \'\'\'\n[a]\nb = 1\n\'\'\'\ny = """\\"""\nz = 1\n"""""\nw = 2\n', {("y",): 5, ("w",): 8}),
        ("x = ['''a\nb''', \"c]\", 'd\"#']\ny = 1\n", {("x", 0): 1, ("x", 1): 2, ("x", 2): 2, ("y",): 3}),
        ('\'a b\' . "c\\u0041" = 1\n["x.y"]\nz=1\n', {("a b", "cA"): 1, ("x.y",): 2, ("x.y", "z"): 3}),
        ("a = 1\r\n# [b]\r\n\r\n[c]\r\nd = [\r\n1]\r\n", {("a",): 1, ("c",): 4, ("c", "d", 0): 6}),
        ("a = 1979-05-27T07:32:00.5Z\nb = +1.5e-3\nc = -inf", {("a",): 1, ("b",): 2, ("c",): 3}),
        ("", {(): 1}),
    ],
)
def test_lines_of_layouts(text, expected):
    lines = Lines(text)
    assert {path: lines.of(path) for path in expected} == expected
    assert lines.paths == set(paths(tomllib.loads(text)))


def test_what_is_not_there_stands_where_its_table_does():
    lines = Lines("a = 1\n[b]\n\n[[c]]\n[[c]]\nd = [\n1]\n")
    assert [lines.of(path) for path in [("x",), ("b", "x"), ("c", 1, "x", 2), ("c", 1, "d", 5)]] == [1, 2, 5, 6]


class Writer:
    """A TOML text, and the line of each path in it, as it is written."""

    def __init__(self, draw):
        self.draw, self.text, self.lines = draw, "", {(): 1}

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def note(self, path):
        for length in range(1, len(path) + 1):
            self.lines.setdefault(path[:length], self.line)

    def key(self, name):
        """A name as a key, quoted if it must be or if it so happens."""
        if " " in name or "." in name or self.draw(st.booleans()):
            return f'"{name}"'
        return name

    def gap(self):
        """Whitespace between the elements of a list."""
        self.text += self.draw(st.sampled_from(["", " ", "\n", "\r\n  ", " # [ ' } \n\t", "\n\n"]))

    def value(self, path, depth=0):
        kind = self.draw(st.sampled_from(["plain", "list", "table"] if depth < 2 else ["plain"]))
        if kind == "plain":
            plain = ["1", "1.5", "-2e3", "true", "'[\"#'", '"\\"]\\\\"', '"""\n= \\""" [\r\n"""', "'''''\n''\n'''"]
            self.text += self.draw(st.sampled_from(plain))
        elif kind == "list":
            self.text += "["
            count = self.draw(st.integers(0, 3))
            for i in range(count):
                self.gap()
                self.note((*path, i))
                self.value((*path, i), depth + 1)
                self.gap()
                self.text += "," if i < count - 1 or self.draw(st.booleans()) else ""
            self.gap()
            self.text += "]"
        else:
            self.text += "{ "
            for i, name in enumerate(self.draw(st.lists(st.sampled_from(NAMES), max_size=2, unique=True))):
                self.text += ", " if i else ""
                self.pair(path, name, depth + 1)
            self.text += " }"

    def pair(self, table, name, depth=0):
        names = (name, "sub") if self.draw(st.booleans()) else (name,)
        self.note((*table, *names))
        self.text += " . ".join(self.key(one) for one in names) + " = "
        self.value((*table, *names), depth)

    def end(self):
        self.text += self.draw(st.sampled_from(["\n", "\r\n", "  # x = [\n", "\n\n# [t]\n"]))

    def pairs(self, table):
        for name in self.draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True)):
            self.pair(table, name)
            self.end()

    def header(self, path, many):
        """A header of a table at a path, indices left out where it is written."""
        self.note(path)
        self.lines[path] = self.line
        names = ".".join(self.key(part) for part in path if isinstance(part, str))
        self.text += f"[[{names}]]" if many else f"[{names}]"
        self.end()
        self.pairs(path)


NAMES = ["a", "b", "c d", "e.f"]


@st.composite
def files(draw):
    """A text and the lines of its paths: tables and arrays of tables in any order, arrays of tables within those."""
    writer, counts = Writer(draw), {}
    writer.pairs(())
    for name in draw(st.permutations(["t1", "t2", "t3", "many", "many", "many", "other", "other"])):
        if name.startswith("t"):
            writer.header((name, "deep") if name == "t3" else (name,), many=False)
            continue
        place = counts[name] = counts.get(name, -1) + 1
        writer.header((name, place), many=True)
        for inner in range(draw(st.integers(0, 2))):
            writer.header((name, place, "inner", inner), many=True)
        if draw(st.booleans()):
            writer.header((name, place, "table"), many=False)
    return writer.text, writer.lines


@given(files())
def test_lines_are_those_at_which_a_file_was_written(file):
    text, expected = file
    lines = Lines(text)
    assert lines.paths == set(paths(tomllib.loads(text))) == set(expected)
    assert {path: lines.of(path) for path in expected} == expected
