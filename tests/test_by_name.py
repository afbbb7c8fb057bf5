"""The register is complete: what is defined is registered, exported, documented, exemplified, and found by name.

A rule, attack, problem or optimizer belongs to the register if it is a concrete class of a module of its package, other
than the module that says what such a thing is (where `FunctionRule` stands, which wraps functions).
"""

from __future__ import annotations

import importlib
import inspect
import os
import pkgutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from problem_with_classes import Blobs

from sims import aggregators, attacks, by_name, observers, optimizers, problems
from sims.aggregators import CoordinateMedian, Krum, Mean, Rule
from sims.attacks import Attack
from sims.by_name import (
    ATTACKS,
    OBSERVERS,
    OPTIMIZERS,
    PROBLEMS,
    RULES,
    attack_by_name,
    class_of,
    examples,
    observer_by_name,
    optimizer_by_name,
    problem_by_name,
    published,
    register,
    rule_by_name,
    takes,
)
from sims.by_name.elsewhere import ELSEWHERE
from sims.checks.exact_rules import DEFINITIONS
from sims.engine import simulate
from sims.observers import Observer
from sims.optimizers import Optimizer, RobustSGD
from sims.packages import defined as defined_by_package
from sims.problems import Problem

KINDS = {
    "rule": (aggregators, Rule, RULES),
    "attack": (attacks, Attack, ATTACKS),
    "problem": (problems, Problem, PROBLEMS),
    "optimizer": (optimizers, Optimizer, OPTIMIZERS),
    "observer": (observers, Observer, OBSERVERS),
}
REGISTERED = [(kind, one) for kind, (_, _, register) in KINDS.items() for one in register]
NAMES = [one.__name__ for _, one in REGISTERED]
SIZES = ((11, 1), (15, 3), (8, 0))  # for which every rule and attack is defined


def defined(package: ModuleType, base: type) -> set[type]:
    """The concrete subclasses of `base` in the modules of a package, but for the module of `base` itself."""
    found: set[type] = set()
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        module = importlib.import_module(info.name)
        if info.name != base.__module__:
            own = (one for one in vars(module).values() if inspect.isclass(one) and one.__module__ == info.name)
            found |= {one for one in own if issubclass(one, base) and not inspect.isabstract(one)}
    return found


def faults(package: ModuleType, base: type, register: tuple[type, ...]) -> list[str]:
    """What is wrong with a register, a sentence each."""
    here, found = defined(package, base), []
    found += [f"{one.__name__} is not registered" for one in here - set(register)]
    found += [f"{one.__name__} is registered and not defined" for one in set(register) - here]
    found += [f"{one.__name__} is registered twice" for one in set(register) if register.count(one) > 1]
    for one in register:
        if getattr(package, one.__name__, None) is not one:
            found.append(f"{one.__name__} is not exported")
        if not (vars(one).get("__doc__") or "").strip():
            found.append(f"{one.__name__} has no docstring")
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_the_register_is_complete(kind):
    package, base, register = KINDS[kind]
    assert len(defined(package, base)) >= 4
    assert faults(package, base, register) == []


class Undocumented(Mean):
    pass


@pytest.mark.parametrize(
    ("register", "fault"),
    [
        (RULES[1:], ["Mean is not registered"]),
        ((*RULES, Mean), ["Mean is registered twice"]),
        (
            (*RULES, Undocumented),
            [
                "Undocumented is registered and not defined",
                "Undocumented is not exported",
                "Undocumented has no docstring",
            ],
        ),
    ],
)
def test_a_fault_of_the_register_is_noticed(register, fault):
    assert faults(aggregators, Rule, register) == fault


def test_a_new_module_whose_class_is_left_out_is_noticed(monkeypatch, tmp_path):
    """As if somebody had written a file after the register was made."""
    (tmp_path / "geometric_mean.py").write_text(
        "from sims.aggregators.mean import Mean\nclass GeometricMean(Mean): ...\n", encoding="utf-8"
    )
    monkeypatch.setattr(aggregators, "__path__", [*aggregators.__path__, str(tmp_path)])
    assert "GeometricMean is not registered" in faults(aggregators, Rule, RULES)
    sys.modules.pop("sims.aggregators.geometric_mean")


def test_what_recorded_results_depend_on_keeps_its_order():
    assert [rule.__name__ for rule in RULES[:5]] == ["Mean", "CoordinateMedian", "GeometricMedian", "RFA", "Krum"]
    later = [rule.__name__ for rule in RULES[13:]]
    assert later == sorted(later)
    with pytest.raises(ValueError, match=r"sims\.aggregators defines no Nowhere"):
        defined_by_package(aggregators, Rule, ("Mean", "Nowhere"))


NEW_RULE = '''"""A rule in one file."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sims.aggregators.rule import Promises, StatelessRule
from sims.backend import Array, namespace, sort_rows


@dataclass(frozen=True)
class Midrange(StatelessRule):
    """Halfway between the smallest and the largest value but f of each coordinate."""

    needs: ClassVar[str] = "n ≥ 2f + 2"
    bears: ClassVar[str] = "f"

    f: int

    @property
    def promises(self) -> Promises:
        return Promises()

    def require(self, n: int) -> None:
        if n < 2 * self.f + 2:
            raise ValueError(f"Midrange needs n ≥ 2f + 2, got n = {n}, f = {self.f}")

    def breakdown(self, n: int) -> int:
        return self.f

    def exact(self, rows: Sequence[Sequence[Any]]) -> list[Any]:
        columns = [sorted(column) for column in zip(*rows, strict=True)]
        return [(column[self.f] + column[-1 - self.f]) / 2 for column in columns]

    def reduce(self, x: Array) -> Array:
        ordered = sort_rows(x)
        return ordered[..., self.f, :] / 2 + ordered[..., x.shape[-2] - 1 - self.f, :] / 2
'''

EVERYWHERE = """
import sys
from fractions import Fraction

import hypothesis
import numpy as np

import sims.aggregators

sims.aggregators.__path__.append(sys.argv[1])
from sims.aggregators import Midrange
from benchmarks import plan, rules
from byzcheck.__main__ import app
from sims.by_name import RULES, examples, published, rule_by_name
from sims.checks.counting import count
from sims.checks.exact_rules import exact_aggregate
from sims.contracts import check_rule
from sims.strategies import rules as strategy

made = rule_by_name("Midrange", 2)
assert made == Midrange(2) and RULES[-1] is Midrange or "Midrange" in [rule.__name__ for rule in RULES]
assert "Midrange" in examples(7, 1) and "Midrange" in published(7, 1) and "Midrange" not in examples(3, 1)
check_rule(made, 7, 3)
rows = [[Fraction(k * k)] for k in range(7)]
assert exact_aggregate(made, rows) == (10,) and made.aggregate(np.arange(7.0)[:, None] ** 2)[0] == 10
assert count(made, np.zeros((7, 3))).total > 0
hypothesis.find(strategy(7), lambda rule: type(rule) is Midrange, settings=hypothesis.settings(max_examples=5000))
assert "Midrange" in plan.all_rules()
assert "Midrange/ours" in rules.contenders(np.random.default_rng(0), 11, 2, 20, plan.all_rules(), peers=False)
app(["list", "--rules"], standalone_mode=False)
app(["audit", "Midrange", "-n", "7", "-f", "1"], standalone_mode=False)
"""


def test_a_rule_in_one_new_file_is_everywhere(tmp_path):
    """In a process of its own, as if the file had been there from the beginning."""
    (tmp_path / "midrange.py").write_text(NEW_RULE, encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "-c", EVERYWHERE, str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        cwd=Path(__file__).parents[1],
        env={**os.environ, "COLUMNS": "120", "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert "Midrange(f)" in ran.stdout
    assert "n ≥ 2f + 2" in ran.stdout


# Examples


def test_every_rule_and_attack_has_an_example_and_where_it_is_undefined_none():
    for n, f in SIZES:
        assert [type(rule) for rule in examples(n, f).values()] == list(RULES)
    for n, f in ((11, 1), (15, 3)):
        assert [type(attack.example(n, f)) for attack in ATTACKS] == list(ATTACKS)
    assert Krum.example(4, 1) is None
    assert attacks.ALittleIsEnough.example(2, 1) is None


def test_every_problem_and_optimizer_has_an_example():
    assert [type(problem.example()) for problem in PROBLEMS] == list(PROBLEMS)
    assert [type(optimizer.example()) for optimizer in OPTIMIZERS] == list(OPTIMIZERS)


@pytest.mark.parametrize(("kind", "one"), REGISTERED, ids=NAMES)
def test_every_example_runs(kind, one):
    """In one simulation with others that any of its kind goes with, and it does not blow up."""
    parts = {"rule": Mean(), "attack": attacks.NoAttack(), "problem": problems.Quadratic.example()}
    parts |= {"optimizer": optimizers.SGD.example()}
    parts[kind] = one.example(11, 1) if kind in ("rule", "attack") else one.example()
    if getattr(one, "flips_labels", False):
        parts["problem"] = problems.SoftmaxRegression.example()
    if kind == "observer":
        parts["problem"] = Blobs()
    if kind == "attack":  # there are some that no mean survives
        parts["rule"] = CoordinateMedian()
    algorithm = RobustSGD(parts["rule"], parts["optimizer"])
    watch = (parts["observer"],) if kind == "observer" else ()
    record = simulate(
        parts["problem"], algorithm, n=11, f=1, attack=parts["attack"], steps=3, runs=2, seed=0, observers=watch
    )
    assert bool(record.observed) == bool(watch)
    assert np.all(np.isfinite(record.x))
    assert np.any(record.x != 0)


def test_published_are_the_rules_that_need_nothing_but_f():
    more = {aggregators.CenteredClipping}
    more |= {aggregators.Bucketing, aggregators.NearestNeighbourMixing, aggregators.Clipping, aggregators.ARC}
    more |= {aggregators.MoNNA}  # no function of the set of messages
    assert {type(rule) for rule in published(11, 1).values()} == set(RULES) - more
    assert "Krum" in published(5, 1)
    assert "Krum" not in published(4, 1)


# What every rule owes besides


def test_every_rule_has_an_exact_definition():
    assert {rule for rule in RULES if rule not in DEFINITIONS and rule.exact is Rule.exact} == set()


def lacking(text, rules):
    """The rules of which a table of what each needs has no row that says what they say of themselves."""
    rows = [[cell.strip() for cell in line.split("|")[1:4]] for line in text.splitlines() if line.count("|") == 4]
    return [
        rule.__name__
        for rule in rules
        if not any(f"`{rule.__name__}" in row[0] and rule.needs in row[1] and rule.bears in row[2] for row in rows)
    ]


def test_every_rule_is_in_the_docs_with_what_it_needs():
    text = (Path(__file__).parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")
    table = text.partition("| rule | needs |")[2].partition("\n\n")[0]
    assert lacking(table, RULES) == []
    assert lacking(table.replace("| n ≥ 4f + 3 |", "| n ≥ 4f |"), RULES) == ["Bulyan"]


# By name


@pytest.mark.parametrize(("kind", "register"), [("rule", RULES), ("attack", ATTACKS)])
def test_what_is_called_otherwise_elsewhere_is_told_what_it_is_here(kind, register):
    known = {one.__name__ for one in register}
    for name, here in ELSEWHERE[kind].items():
        assert {word for word in here.replace(",", " ").split() if word[0].isupper() and word != "ByzFL"} <= known
        assert name == name.lower()
        assert name not in {one.lower() for one in known}
    with pytest.raises(ValueError, match=r"unknown attack 'Optimal_ALIE', which is here SearchedStrength with dir"):
        attack_by_name("Optimal_ALIE")
    with pytest.raises(ValueError, match=r"unknown rule 'CWMed', which is here CoordinateMedian \(known"):
        rule_by_name("CWMed", 1)


@pytest.mark.parametrize(
    ("make", "register", "settings"),
    [
        (
            lambda text, settings: rule_by_name(text, 1, settings),
            RULES,
            {"CenteredClipping": {"tau": 1.0}, "Clipping": {"rule": Mean(), "radius": 1.0}}
            | {name: {"rule": Mean()} for name in ("Bucketing", "NearestNeighbourMixing", "ARC")},
        ),
        (
            attack_by_name,
            ATTACKS,
            {
                "Together": {"attacks": (attacks.NoAttack(),)},
                "Relocation": {"radius": 1.0},
            },
        ),
        (
            problem_by_name,
            PROBLEMS,
            {
                "Quadratic": {"eigenvalues": (1.0,)},
                "Bernoulli": {"p": 0.5},
                "Sinusoidal": {"amplitude": 1.0},
                "Huber": {"amplitude": 1.0},
                "Pendulum": {"amplitude": 1.0},
                "SoftmaxRegression": {"features": np.eye(2), "labels": np.arange(2)},
                "HeterogeneousSoftmaxRegression": {"features": np.eye(2), "labels": np.arange(2), "shards": 2},
            },
        ),
        (
            optimizer_by_name,
            OPTIMIZERS,
            {"WorkerMVR": {"learning_rate": 0.1, "alpha": 0.1}, "SGD": {"learning_rate": 0.1}}
            | {"WeightDecay": {"optimizer": optimizers.SGD(0.1), "weight_decay": 0.1}}
            | {name: {"learning_rate": 0.1, "beta": 0.9} for name in ("WorkerMomentum", "ServerMomentum")},
        ),
        (observer_by_name, OBSERVERS, {}),
    ],
    ids=KINDS,
)
def test_everything_is_found_by_name(make, register, settings):
    for one in register:
        assert type(make(one.__name__, settings.get(one.__name__, {}))) is one


def test_a_constructor_of_a_registered_class_is_a_name_too():
    made = problem_by_name("Quadratic.between", {"mu": 0.5, "L": 2.0, "dim": 3, "sigma_sq": 1.0})
    assert np.allclose(made.eigenvalues, [0.5, 1.0, 2.0])
    assert made.sigma_sq == 1.0
    assert problem_by_name("SoftmaxRegression.mixture", {"classes": 2, "size": 8, "batch": 4}).batch == 4
    assert list(takes("problem", "Quadratic.between")) == ["mu", "L", "dim", "sigma_sq", "zeta_sq", "x_star"]
    assert class_of("problem", "Quadratic.between") is class_of("problem", "Quadratic") is problems.Quadratic


def test_a_rule_around_a_rule_is_written_as_it_is_built():
    made = rule_by_name("Clipping(NearestNeighbourMixing(Bucketing(Krum)))", 2, {"radius": 1.5, "variant": "byzfl"})
    inner = "Bucketing(rule=Krum(f=2, variant='byzfl'), size=2)"
    assert repr(made) == f"Clipping(rule=NearestNeighbourMixing(rule={inner}, f=2), radius=1.5)"
    assert list(takes("rule", "NearestNeighbourMixing(Krum)")) == ["f", "variant"]
    assert class_of("rule", "ARC(Krum)") is aggregators.ARC
    assert rule_by_name("NearestNeighbourMixing(Krum)", 1, {"f": 2}).rule.f == 2
    assert type(rule_by_name("Bucketing(numpy:median)", 1).rule) is aggregators.FunctionRule


def test_what_takes_any_setting_gets_it(monkeypatch):
    class Anything(Mean):
        def __init__(self, **settings):
            self.settings = settings

    monkeypatch.setitem(register.REGISTER, "rule", (Anything,))
    assert rule_by_name("Anything", 1, {"whatever": 2}).settings == {"whatever": 2}


def test_f_is_given_to_the_rules_that_take_one_and_settings_come_first():
    assert rule_by_name("Krum", 2) == Krum(2)
    assert rule_by_name("Krum", 2, {"f": 3, "variant": "byzfl"}) == Krum(3, "byzfl")
    assert rule_by_name("Mean", 2) == Mean()


def test_ones_own_is_found_in_its_module():
    assert type(attack_by_name("sims.attacks.relocation:Relocation", {"radius": 1.0})) is attacks.Relocation
    assert type(optimizer_by_name("sims.optimizers:SGD", {"learning_rate": 0.1})) is optimizers.SGD
    assert type(problem_by_name("sims.problems:Pareto")) is problems.Pareto


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: rule_by_name("Krum(Mean)", 1), r"Krum is not built around another rule, as Krum\(Mean\) has it"),
        (lambda: rule_by_name("Bucketing(Kram)", 1), "unknown rule 'Kram'; did you mean Krum"),
        (lambda: rule_by_name("Bucketing", 1), "Bucketing needs a value for rule: write Bucketing"),
        (
            lambda: rule_by_name("Bucketing(Krum)", 1, {"siz": 2}),
            r"Bucketing\(Krum\) has no setting 'siz'; did you mean size\? \(it takes size, f, variant\)",
        ),
        (lambda: rule_by_name("krumm", 1), r"unknown rule 'krumm'; did you mean Krum\? \(known: Mean, "),
        (
            lambda: attack_by_name("bitflip"),
            r"unknown attack 'bitflip'; did you mean BitFlipping\? \(known: NoAttack, ",
        ),
        (lambda: problem_by_name("parreto"), r"unknown problem 'parreto'; did you mean Pareto\? \(known: Quadratic, "),
        (lambda: optimizer_by_name("sgd"), r"unknown optimizer 'sgd'; did you mean SGD\? \(known: SGD, "),
        (lambda: observer_by_name("push"), r"unknown observer 'push'; did you mean Push\? \(known: Push, "),
        (lambda: attack_by_name("sims.attacks:"), "an attack of one's own is written module:Name, got 'sims.attacks:'"),
        (lambda: problem_by_name("nowhere_at_all:X"), "module nowhere_at_all does not import: ModuleNotFoundError"),
        (lambda: attack_by_name("sims.attacks:Nope"), "module sims.attacks has no Nope"),
        (lambda: attack_by_name("sims.aggregators:Mean"), "sims.aggregators:Mean is no sims Attack but of type Mean"),
        (lambda: attack_by_name("sims.attacks:alie_z"), "sims.attacks:alie_z is no sims Attack but of type function"),
        (lambda: attack_by_name("Relocation"), "Relocation needs a value for radius"),
        (lambda: attack_by_name("BitFlipping", {"off": 1}), "BitFlipping has no setting 'off'; it takes on"),
        (
            lambda: optimizer_by_name("WorkerMomentum", {"learning_rate": 0.1, "betta": 0.9}),
            r"WorkerMomentum has no setting 'betta'; did you mean beta\? \(it takes learning_rate, beta, damped\)",
        ),
        (
            lambda: problem_by_name("Quadratic.betwen", {}),
            r"Quadratic has no constructor 'betwen'; did you mean between\? \(it has Quadratic.between\)",
        ),
        (lambda: problem_by_name("Quadratic.dim"), r"Quadratic has no constructor 'dim' \(it has Quadratic.between\)"),
        (lambda: problem_by_name("Pareto.example"), r"Pareto has no constructor 'example' \(it has none\)"),
        (
            lambda: problem_by_name("Quadratic.between", {"mu": 1.0, "L": 2.0}),
            "Quadratic.between needs a value for dim",
        ),
        (
            lambda: problem_by_name("Quadratic.between", {"mu": 1.0, "L": 2.0, "dim": 2, "sigma": 1.0}),
            r"Quadratic.between has no setting 'sigma'; did you mean sigma_sq\?",
        ),
        (lambda: problem_by_name("Pareto", {"shape": "a"}), "Pareto needs a number shape > 2, got shape = 'a'"),
    ],
)
def test_what_is_not_there_is_refused_in_one_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def late(monkeypatch, place):
    monkeypatch.setitem(register.LATE["problem"], "Late", place)


def test_what_is_registered_late_is_imported_when_it_is_named(monkeypatch):
    late(monkeypatch, "learners:Learner")
    monkeypatch.delitem(sys.modules, "learners", raising=False)
    assert type(problem_by_name("Pareto")) is problems.Pareto
    assert "learners" not in sys.modules
    assert "gamma" in takes("problem", "Late")
    assert problem_by_name("Late", {"gamma": 0.25}).gamma == 0.25
    with pytest.raises(ValueError, match=r"unknown problem 'Laet'; did you mean Late\?"):
        problem_by_name("Laet")


def test_what_needs_a_library_that_is_not_installed_says_how_to_get_it(monkeypatch, tmp_path):
    (tmp_path / "needs_a_library.py").write_text("import no_such_library.at_all\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    late(monkeypatch, "needs_a_library:Late")
    sentence = r"^Late needs no_such_library, which is not installed: pip install 'byzcheck\[neural\]'$"
    with pytest.raises(ValueError, match=sentence):
        takes("problem", "Late")


def test_a_module_of_ours_that_is_missing_is_a_defect(monkeypatch):
    late(monkeypatch, "sims.nowhere:Late")
    with pytest.raises(ModuleNotFoundError, match=r"sims\.nowhere"):
        takes("problem", "Late")


def test_names_are_unique():
    names = [one.__name__ for register in by_name.REGISTER.values() for one in register]
    names += [name for late in register.LATE.values() for name in late]
    assert len(names) == len(set(names))
