"""In which line of a TOML file a value stands.

`tomllib` reads values without their places, and tomlkit, which keeps a document's layout, puts `[[rule]]` tables that
another table separates beside each other, so that its lines are not the file's. Here tokens of a text that `tomllib`
has accepted are walked through; nothing is checked or converted.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator

Path = tuple[str | int, ...]
TOKEN = re.compile(
    r"""
      (?P<skip> [ \t\r]+ | \#[^\n]* )
    | (?P<newline> \n )
    | (?P<text> \"""(?:\\.|[^\\])*?"{3,5} | '''.*?'{3,5} | "(?:\\.|[^"\\\n])*" | '[^'\n]*' )
    | (?P<mark> [\[\]{}=,.] )
    | (?P<bare> [^\s\[\]{}=,."'\#]+ )
    """,
    re.VERBOSE | re.DOTALL,
)


class Lines:
    r"""The lines of a TOML text's values, by their paths.

    `lines.of(("block", 0, "rule", "tau"))` is the line, from 1 on, where the key `tau` of the first block's rule
    stands, or the element that an index names. What is not in the text stands where its table does; the text itself in
    line 1. The text must be TOML, as `tomllib` accepts it.

    >>> lines = Lines("n = [\n  5,\n  7]\n[rule]\nname = 'Mean'\n")
    >>> lines.of(("n", 1)), lines.of(("rule", "name")), lines.of(("rule", "tau"))
    (3, 5, 4)
    """

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._tokens = _tokens(text)
        self._kind, self._token, self._line = next(self._tokens)
        self._tables: dict[Path, int] = {}  # arrays of tables, and how many of each have been opened
        self._read()

    def of(self, path: Path) -> int:
        """The line of a path, or of the innermost table around it that is in the text."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]

    @property
    def paths(self) -> frozenset[Path]:
        """The paths of everything that has a line."""
        return frozenset(self._lines)

    def _read(self) -> None:
        table: Path = ()
        while self._kind != "end":
            if self._kind == "newline":
                self._next()
            elif self._token == "[":
                table = self._header()
            else:
                self._pair(table)

    def _next(self) -> None:
        self._kind, self._token, self._line = next(self._tokens)

    def _skip_newlines(self) -> None:
        while self._kind == "newline":
            self._next()

    def _note(self, path: Path, line: int) -> None:
        """Remember where a path stands, and the tables around it that it makes by being written."""
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], line)

    def _header(self) -> Path:
        """[a.b] or [[a.b]]: the path of the table that it opens."""
        line = self._line
        self._next()
        if many := self._token == "[":
            self._next()
        path = self._within(self._key())
        for _ in range(2 if many else 1):
            self._next()
        if many:
            self._note(path, line)
            count = self._tables.get(path, 0)
            self._tables[path] = count + 1
            path = (*path, count)
        self._note(path, line)
        self._lines[path] = line  # rather than where a table below it made it
        return path

    def _within(self, key: Path) -> Path:
        """The path of a header's key: below an array of tables, in the last table opened."""
        path: Path = ()
        for name in key[:-1]:
            path = (*path, name)
            if path in self._tables:
                path = (*path, self._tables[path] - 1)
        return (*path, key[-1])

    def _key(self) -> Path:
        """A key, dotted or not, up to what follows it."""
        names: list[str] = []
        while self._kind in ("bare", "text") or self._token == ".":
            if self._token != ".":
                names.append(self._token if self._kind == "bare" else tomllib.loads(f"key = {self._token}")["key"])
            self._next()
        return tuple(names)

    def _pair(self, table: Path) -> None:
        """A key and its value, in a table or in an inline table."""
        line = self._line
        path = (*table, *self._key())
        self._note(path, line)
        self._next()  # past the =
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._token == "[" and self._kind == "mark":
            self._items(path, "]")
        elif self._token == "{" and self._kind == "mark":
            self._items(path, "}")
        else:
            while self._kind in ("bare", "text") or self._token == ".":
                self._next()

    def _items(self, path: Path, closing: str) -> None:
        """The elements of a list or the pairs of an inline table, up to the closing bracket."""
        self._next()
        self._skip_newlines()
        count = 0
        while not (self._kind == "mark" and self._token == closing):
            if closing == "}":
                self._pair(path)
            else:
                self._note((*path, count), self._line)
                self._value((*path, count))
                count += 1
            self._skip_newlines()
            if self._token == ",":
                self._next()
                self._skip_newlines()
        self._next()


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """Each token's kind, its text and the line where it begins; then "end" for ever."""
    line = 1
    for match in TOKEN.finditer(text):
        if match.lastgroup != "skip":
            yield str(match.lastgroup), match[0], line
        line += match[0].count("\n")
    while True:
        yield "end", "", line
