"""The code part of a key: what changes it and what does not, what is followed, and that it is the same everywhere."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from sims.engine import code
from sims.engine.code import canonical_tree, code_of, function_tree
from sims.engine.describe import describe, digest

SOURCE = '''"""A module."""

from helpers import scale


class Rule:
    """A rule."""

    factor = 2.0

    def reduce(self, x):
        """The doubled sum."""
        # a comment
        return self.factor * scale(x)
'''


def tree(text: str) -> str:
    return canonical_tree(ast.parse(text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A module."""\n', ""),
        ('    """A rule."""\n', '    """Another word."""\n'),
        ('        """The doubled sum."""\n', ""),
        ("        # a comment\n", ""),
        ("2.0", "2.00"),
        ("self.factor * scale(x)", "(self.factor\n            * scale(x))"),
        ("\n\n\nclass", "\n\n\n\n# more room\n\nclass"),
    ],
)
def test_comments_docstrings_and_layout_are_not_in_it(old, new):
    assert SOURCE.count(old) == 1
    assert tree(SOURCE.replace(old, new)) == tree(SOURCE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("2.0", "2.0000000000000004"),
        ("2.0", "2"),
        ("2.0", "'2.0'"),
        ("2.0", "b'2.0'"),
        ("self.factor *", "self.factor +"),
        ("(self, x)", "(self, x=None)"),
        ("(self, x)", "(self, /, x)"),
        ("(self, x)", "(self, *x)"),
        ("from helpers", "from others"),
        ("scale(x)", "scale(*x)"),
        ("scale(x)", "scale(x=x)"),
        ("    factor = 2.0", "    factor: float = 2.0"),
        ("    def reduce", "    @staticmethod\n    def reduce"),
        ("        return", "        return None\n        return"),
    ],
)
def test_all_else_is(old, new):
    assert SOURCE.count(old) == 1
    assert tree(SOURCE.replace(old, new)) != tree(SOURCE)


def test_a_text_in_the_middle_is_no_docstring():
    assert tree("x = 1\n'text'") != tree("x = 1\n'other'") != tree("x = 1")


# What is followed


@pytest.fixture
def user(tmp_path, monkeypatch):
    """A folder of one's own modules on the path; what is known of modules is forgotten afterwards."""
    for name, text in {
        "byzcheck_user_rules.py": "import numpy\nimport byzcheck_user_helpers\nfrom sims.aggregators import Krum\n",
        "byzcheck_user_helpers.py": "from byzcheck_user_package import deep\n",
        "byzcheck_user_package/__init__.py": "from .inner import deep, shallow\nfrom .other import unused\n",
        "byzcheck_user_package/inner.py": "def deep(): return 1\ndef shallow(): return 2\n",
        "byzcheck_user_package/other.py": "unused = 1\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    code._READ.clear()
    code._base.cache_clear()
    for name in [name for name in sys.modules if name.startswith("byzcheck_user_")]:
        del sys.modules[name]


def changed(user: Path, name: str, text: str) -> set[str]:
    """The modules whose digest changes when a file gets more text, or that come or go."""
    before = code_of(["byzcheck_user_rules"])
    with (user / name).open("a", encoding="utf-8") as file:
        file.write(text)
    code._READ.clear()
    after = code_of(["byzcheck_user_rules"])
    return {module for module in before | after if before.get(module) != after.get(module)}


def test_ones_own_modules_are_followed_and_libraries_are_not(user):
    found = code_of(["byzcheck_user_rules"])
    assert {name for name in found if name.startswith("byzcheck_user")} == {
        "byzcheck_user_rules",
        "byzcheck_user_helpers",
        "byzcheck_user_package.inner",
    }
    assert "sims.aggregators.krum" in found
    assert "sims.aggregators.bulyan" not in found
    assert not [name for name in found if name.partition(".")[0] not in ("sims", *found, "byzcheck_user_package")]


@pytest.mark.parametrize(
    ("name", "text", "modules"),
    [
        ("byzcheck_user_package/inner.py", "constant = 3\n", {"byzcheck_user_package.inner"}),
        ("byzcheck_user_package/inner.py", "# a comment\n", set()),
        ("byzcheck_user_package/other.py", "constant = 3\n", set()),
        ("byzcheck_user_helpers.py", "constant = 3\n", {"byzcheck_user_helpers"}),
        (
            "byzcheck_user_helpers.py",
            "def f():\n    from sims.aggregators import RFA\n",
            {"byzcheck_user_helpers", "sims.aggregators.rfa", "sims.aggregators.whole_range", "sims.exponents"},
        ),
        (
            "byzcheck_user_helpers.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sims.aggregators import RFA\n",
            {"byzcheck_user_helpers"},
        ),
        (
            "byzcheck_user_helpers.py",
            "import importlib\nimportlib.import_module('sims.aggregators.rfa')\n",
            {"byzcheck_user_helpers", "sims.aggregators.rfa", "sims.aggregators.whole_range", "sims.exponents"},
        ),
    ],
)
def test_a_change_is_found_in_its_module_alone(user, name, text, modules):
    assert changed(user, name, text) == modules


def test_what_has_no_source_is_refused():
    with pytest.raises(ValueError, match="byzcheck_nowhere has no source file"):
        code_of(["byzcheck_nowhere"])
    with pytest.raises(ValueError, match="math has no source file"):
        code_of(["math"])


def test_a_rule_depends_on_itself_the_engine_and_the_kernels_and_on_no_other_rule():
    found = code_of(["sims.aggregators.trimmed_mean"])
    assert {name for name in found if name.startswith("sims.aggregators")} == {
        "sims.aggregators.rule",
        "sims.aggregators.told",
        "sims.aggregators.trimmed_mean",
    }
    assert {"sims.engine.simulate", "sims.engine.round", "sims.engine.streams", "sims.backend"} <= set(found)
    assert {"sims.kernels.cpu.columns", "sims.kernels.cpu.rounds"} <= set(found)
    assert not [name for name in found if "cuda" in name or name in code.BOOKKEEPING]
    assert "sims.kernels.cuda.round_rules" in code_of(["sims.aggregators.trimmed_mean"], "cupy")


def test_every_module_that_computes_is_in_the_engines_closure():
    """What `play` has imported when it ran is in the key, or is named as what holds no formula."""
    text = """
import sys
from sims.aggregators import TrimmedMean
from sims.attacks import BitFlipping
from sims.engine import simulate
from sims.engine.code import BOOKKEEPING, DEVICE, code_of
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic
before = set(sys.modules)
e = simulate(Quadratic((1.0,) * 10, sigma_sq=1.0), RobustSGD(TrimmedMean(1), SGD(0.1)), attack=BitFlipping(),
             n=25, f=1, steps=600, runs=1, seed=0)
loaded = {name for name in set(sys.modules) - before if name.startswith("sims.")}
used = {type(e).__module__ for e in (TrimmedMean(1), BitFlipping(), SGD(0.1), Quadratic((1.0,)))}
known = code_of(used)
bare = {name for name in loaded if not name.endswith(".note") and name not in known}
print(sorted(name for name in bare if not name.startswith((*DEVICE, *BOOKKEEPING)) and name != "sims.kernels.cpu"))
"""
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=True)
    assert done.stdout.strip().splitlines()[-1] == "[]"


def test_a_reloaded_module_has_a_new_digest_and_a_changed_file_alone_has_not(user, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    module = importlib.import_module("byzcheck_user_helpers")
    before = code_of(["byzcheck_user_rules"])
    with (user / "byzcheck_user_helpers.py").open("a", encoding="utf-8") as file:
        file.write("constant = 3\n")
    assert code_of(["byzcheck_user_rules"]) == before  # the loaded code is still the former
    importlib.reload(module)
    after = code_of(["byzcheck_user_rules"])
    assert {name for name in after if after[name] != before[name]} == {"byzcheck_user_helpers"}


# Functions


def halving(t):
    """Halve."""
    return 0.5 / t


def test_functions_are_told_apart_by_their_text():
    one, two = (lambda t: 0.1 / t), (lambda t: 0.2 / t)
    assert function_tree(one) != function_tree(two)
    assert None not in (function_tree(one), function_tree(two), function_tree(halving))
    same = [lambda t: 0.1 / t for _ in range(2)]
    assert describe(same[0])["text"] == describe(same[1])["text"] == describe(one)["text"]
    assert "Halve" not in function_tree(halving)


def test_a_function_of_a_module_is_its_name_and_the_text_of_the_module():
    assert describe(halving) == {"function": "test_code:halving"}


def test_a_script_with_a_rule_of_its_own_has_keys(tmp_path):
    text = """
from my_helpers import doubled
from sims.engine import Experiment
from sims.optimizers import SGD, RobustSGD
from sims.problems import Quadratic

def rule(x):
    return doubled(x.mean(axis=0))

e = Experiment(Quadratic((1.0,)), RobustSGD(rule, SGD(lambda t: 0.1 / t)), n=3, f=0, steps=2, runs=1, seed=0)
print(e.key())
"""
    keys = []
    for factor in (2.0, 2.0, 3.0):
        (tmp_path / "script.py").write_text(text, encoding="utf-8")
        (tmp_path / "my_helpers.py").write_text(f"def doubled(x):\n    return {factor} * x\n", encoding="utf-8")
        command = [sys.executable, "script.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
        keys.append(done.stdout.strip())
    assert len(keys[0]) == 32
    assert keys[0] == keys[1] != keys[2]


# The same everywhere

GOLDEN = {  # texts of which versions of Python keep different trees (type parameters, f-strings), and others
    "def f(x): return x": "42ea2afe",
    "f'{x!r:>{w}} {y=} {z:.2f}' 'a' \"b\"": "a4e02db5",
    "async def f(*a, k=1, **b):\n    async with a as c: await b": "306c59e3",
    "match x:\n    case [1, *_] | {'a': None}: pass\n    case P(y=1.5): ...": "a880d359",
    "x = 1j + 0x10 + 1e-400 + 1_000 + ...": "fbbb5353",
    "lambda x, /, y, *, z: (x @ y, z := 1)": "689e0289",
    "class A(B, metaclass=C):\n    x: int = 1\n    'text'": "3d4d6c81",
    "try:\n    pass\nexcept* E as e:\n    raise X from e": "da01e8b5",
}


@pytest.mark.parametrize("text", GOLDEN)
def test_golden_digests(text):
    assert digest(tree(text))[:8] == GOLDEN[text]


def test_type_parameters_do_not_disturb_functions_without_them():
    assert "type_params" not in tree("def f(x): return x")


# What is easily missed


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("from folder.inner import f\n", {"folder.inner"}),
        ("from folder import inner\n", {"folder.inner"}),
        ("import stars.a\n", {"stars", "stars.a", "stars.b"}),
        ("import stars.a as name\n", {"stars.a"}),
        ("from stars import *\n", {"stars", "stars.a", "stars.b"}),
        ("from again import value\n", {"again", "again.a"}),
        ("from twice import value\n", {"twice", "twice.a", "twice.b"}),
        ("from twice import other\n", {"twice.a"}),
        ("from same import value\n", {"same.a", "same.value"}),
    ],
)
def test_what_has_a_say_in_a_name_is_in_it(tmp_path, monkeypatch, text, found):
    files = {
        "folder/inner.py": "def f(): return 1\n",
        "stars/__init__.py": "from .a import *\nfrom .b import *\n",
        "again/__init__.py": "from .a import value\nvalue = 2 * value\n",
        "twice/__init__.py": "from .a import value, other\nfrom .b import value\n",
        "same/__init__.py": "from .a import value\n",
        "same/value.py": "x = 1\n",
        **{f"{package}/{name}.py": "value = other = 1\n" for package in ("stars", "again", "twice") for name in "ab"},
        "same/a.py": "value = 1\n",
    }
    for name, content in {**files, "byzcheck_user_face.py": text}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    code._READ.clear()
    code._base.cache_clear()
    got = {name for name in code_of(["byzcheck_user_face"]) if not name.startswith("sims")}
    code._READ.clear()
    code._base.cache_clear()
    assert got == {"byzcheck_user_face", *found}


def test_modules_in_another_folder_on_the_path_count(tmp_path, monkeypatch):
    for folder, name, text in [
        ("a", "byzcheck_user_near", "import byzcheck_user_far\n"),
        ("b", "byzcheck_user_far", "x = 1\n"),
    ]:
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.py").write_text(text, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path / folder)
    assert "byzcheck_user_far" in code_of(["byzcheck_user_near"])
