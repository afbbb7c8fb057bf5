"""The code blocks of a page of the documentation: what they are, and running them in their order as a reader would.

Python is executed in one namespace, sweeps are planned, commands after `$` are called; what a page shows below is
compared, where `…` stands for what is left out. A comment above a block says more of it:

    <!-- file: mine.py -->        the block is a file, which later commands find
    <!-- exits with 1 -->         a command of it fails so
    <!-- not run: REASON -->      it is not run, because
"""

from __future__ import annotations

import contextlib
import difflib
import doctest
import importlib.util
import io
import os
import re
import shlex
import subprocess
import sys
import types
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from invoke import call

DOCS = Path(__file__).parents[1] / "docs"
PAGES = sorted(path.name for path in DOCS.glob("*.md"))

_FENCE = re.compile(
    r"(?:^<!-- (?P<mark>.*?) -->\n)?^(?P<fence>```+)(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=fence)$",
    re.DOTALL | re.MULTILINE,
)
_COMMAND = re.compile(r"^\$ (.*(?:\\\n.*)*)\n?", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A block: where it begins, its language, the libraries that it needs, what the comment above says, its text."""

    place: str
    language: str
    needs: tuple[str, ...]
    mark: str
    text: str

    @property
    def left_out(self) -> str:
        """Why it is not run; empty if it is."""
        return self.mark.removeprefix("not run: ") if self.mark.startswith("not run: ") else ""

    @property
    def file(self) -> str:
        """The name of the file that it is; empty if it is none."""
        return self.mark.removeprefix("file: ") if self.mark.startswith("file: ") else ""

    @property
    def exits_with(self) -> int:
        """The exit code of its commands."""
        return int(self.mark.removeprefix("exits with ")) if self.mark.startswith("exits with ") else 0


def blocks(page: str) -> list[Block]:
    """The blocks of a page; directives of the generator are none."""
    text = (DOCS / page).read_text(encoding="utf-8")
    found = []
    for one in _FENCE.finditer(text):
        language, *needs = one["info"].split() or [""]
        if not language.startswith("{"):
            place = f"{page}:{text.count(chr(10), 0, one.start('fence')) + 1}"
            found.append(Block(place, language, tuple(needs), one["mark"] or "", one["text"]))
    return found


class Reader:
    """Somebody who types a page's blocks, one after the other, in a folder of his own."""

    def __init__(self, page: str, folder: Path) -> None:
        self.module = types.ModuleType(f"page_{page.removesuffix('.md')}")
        self.folder, self.printed, self.ran = folder, "", 0
        self.module.__file__ = str(folder / "page.py")

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """In the folder, with the page's namespace as a module; what is imported from there is forgotten afterwards."""
        path, sys.modules[self.module.__name__] = [*sys.path], self.module
        try:
            with contextlib.chdir(self.folder):
                yield
        finally:
            sys.path[:] = path
            here = [name for name, one in sys.modules.items() if self.folder in _file_of(one).parents]
            for name in here:
                del sys.modules[name]

    def take(self, block: Block) -> None:
        """Do what a block asks for; an `AssertionError` if something else comes of it than the page shows."""
        if block.left_out or not all(map(importlib.util.find_spec, block.needs)):
            return
        self.ran += 1
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        if block.language == "python" and not block.file:
            self.printed = self.execute(block)
        elif block.language == "text":
            compare(block.place, block.text, self.printed)
        elif block.language == "console":
            self.type(block)
        elif block.language == "toml":
            path = Path(block.file or "sweep.toml")
            path.write_text(block.text, encoding="utf-8")
            call("sweep", "plan", path)
        elif not block.file:
            raise AssertionError(f"{block.place}: nothing runs {block.language or 'a block without a language'} here")

    def execute(self, block: Block) -> str:
        """Run Python, an example with prompts or a script, and say what it printed."""
        if block.text.startswith(">>>"):
            example = doctest.DocTestParser().get_doctest(block.text, vars(self.module), block.place, block.place, 0)
            runner = doctest.DebugRunner(verbose=False)
            runner.run(example, clear_globs=False)
            vars(self.module).update(example.globs)
            return ""
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile("\n" * int(block.place.split(":")[1]) + block.text, block.place, "exec"), vars(self.module))
        return out.getvalue()

    def type(self, block: Block) -> None:
        """Call each command of a block and compare what it prints with what stands below it."""
        _, *rest = _COMMAND.split(block.text)
        if not rest:
            raise AssertionError(f"{block.place}: a console without a command after $")
        for command, shown in zip(rest[::2], rest[1::2], strict=True):
            printed = self.call(shlex.split(command, comments=True), block.exits_with)
            if shown.strip():
                compare(f"{block.place}: {command}", shown, printed)

    def call(self, words: list[str], code: int) -> str:
        """What a command prints: ours in this process, Python and pytest in another."""
        if words[0] == "byzcheck":
            result = call(*words[1:], code=code)
            return result.stderr if code > 1 else result.stdout
        program = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest"]}[words[0]]
        options = ["-p", "no:cacheprovider", "--rootdir=."] if words[0] == "pytest" else []
        path = os.pathsep.join([str(self.folder), str(DOCS.parent)])
        surroundings = os.environ | {"PYTHONPATH": path, "COLUMNS": "80"}
        done = subprocess.run([*program, *words[1:], *options], capture_output=True, text=True, env=surroundings)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout


def _file_of(module: types.ModuleType) -> Path:
    return Path(getattr(module, "__file__", None) or "/")


def compare(place: str, shown: str, printed: str) -> None:
    """Insist that `printed` is what a page shows; `…` may stand for some words, and alone for some lines."""
    lines = [line.rstrip() for line in shown.strip("\n").splitlines()]
    real = [line.rstrip() for line in printed.strip("\n").splitlines()]
    pattern = "".join(
        r"(?:.*\n)*?" if line.strip() == "…" else r".*?".join(map(re.escape, line.split("…"))) + r"\n" for line in lines
    )
    if not re.fullmatch(pattern, "".join(f"{line}\n" for line in real)):
        difference = "\n".join(difflib.unified_diff(lines, real, "shown", "printed", lineterm=""))
        raise AssertionError(f"{place}\n{difference}")
