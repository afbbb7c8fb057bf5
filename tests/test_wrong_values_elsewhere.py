"""Rules, errors, laws, names, paths: what is no plain parameter is refused in a sentence, too, even where it raises."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sweeping
from zoo import ZOO, SilentError, tried

from byzcheck.card import card_of
from sims import by_name, sweep
from sims.aggregators import Bucketing, CenteredClipping, Mean
from sims.checks import counting, evidence, problem, two_point
from sims.checks.exact_algorithm import ExactSGD
from sims.engine import Streams
from sims.neural.data.dataset import Dataset
from sims.optimizers import SGD
from sims.problems import Quadratic


class Evil:
    """It answers nothing: its value in words, as a number, as an array, its length, truth, equality."""

    __hash__ = None  # pyright: ignore[reportAssignmentType]

    def fails(self, *given: Any, **named: Any) -> Any:
        raise RuntimeError("evil")

    __repr__ = __float__ = __int__ = __index__ = __eq__ = __array__ = __len__ = __bool__ = __iter__ = fails
    shape = dtype = ndim = property(fails)


class EvilIndeed:
    """Every attribute that it has not raises."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError("evil")


WRONG = ZOO | {"evil": Evil(), "evil indeed": EvilIndeed(), "a class": int, "a module": np, "nobody": lambda: 1}
ROWS = np.array([[0.0, 1.0], [2.0, 3.0], [5.0, 4.0]])
IMAGES, LABELS = np.zeros((2, 1, 1, 1), dtype=np.uint8), np.array([0, 1])
DATASET = {
    "name": "two",
    "classes": ("a", "b"),
    "train_images": IMAGES,
    "train_labels": LABELS,
    "test_images": IMAGES,
    "test_labels": LABELS,
    "mean": (0.5,),
    "std": (0.5,),
}
STREAMS = Streams(0, "sample").runs(0, 2)
EVIDENCE = {"what": "x", "measured": 1.0, "relation": "<=", "claimed": 2.0, "kind": "sampled", "error": 0.0}
HALVES = {"samples": np.array([[0.0], [1.0]]), "weights": np.array([0.5, 0.5])}


def verdict(**given: Any) -> str:
    return evidence.Evidence(**given).verdict


def clipped(state: Any) -> Any:
    return CenteredClipping(1.0).aggregate(ROWS, state)


def named(kind: str) -> Callable[..., Any]:
    make = getattr(by_name, f"{kind}_by_name")
    return lambda **given: make(given[kind], *([1] if kind == "rule" else []), given["settings"])


def file(path: Any, changes: Any) -> Any:
    return sweep.read(path, changes)


# what is asked, with arguments that are right
ASKED: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "Dataset": (Dataset, DATASET),
    "card_of": (card_of, {"rule": Mean(), "n": 3, "f": 0, "seed": 0}),
    "search_c": (two_point.search_c, {"errors": np.array([0.0, 0.25, 0.0]), "delta": 0.25}),
    "search_kappa": (two_point.search_kappa, {"errors": np.array([0.0, 0.25, 0.0])}),
    "needed": (two_point.needed, {"rule": Mean(), "n": 3, "f": 1, "backend": "numpy"}),
    "Evidence": (verdict, EVIDENCE),
    "count": (counting.count, {"rule": Mean()}),
    "degree": (counting.degree, {"counts": [3, 7, 13, 21, 31]}),
    "FiniteLaw": (problem.FiniteLaw, HALVES),
    "ExactSGD": (ExactSGD, {"rule": Mean(), "optimizer": SGD(0.5), "warm": True}),
    "normal": (STREAMS.normal, {"steps": 1, "shape": (2,)}),
    "uniform": (STREAMS.uniform, {"steps": 1, "shape": (2,)}),
    "directions": (Quadratic((1.0, 2.0)).directions, {"n": 3, "g": 2}),
    "state of CenteredClipping": (clipped, {"state": np.zeros(2)}),
    **{
        kind: (named(kind), {kind: name, "settings": settings})
        for kind, name, settings in (
            ("rule", "Krum", {}),
            ("attack", "BitFlipping", {}),
            ("problem", "Rademacher", {}),
            ("optimizer", "SGD", {"learning_rate": 0.1}),
            ("observer", "Push", {}),
        )
    },
    "parse_settings": (by_name.parse_settings, {"texts": ["a=1"]}),
    "Results": (lambda where: sweep.Results(where).scan(), {"where": "no-such-folder"}),
    "sweep.read": (file, {"path": "sweeps/first.toml", "changes": []}),
}


OF_THE_RIGHT_KIND = {  # and wrong in what they say, for which there are other sentences
    ("settings", "a mapping"),
    ("settings", "None"),
    ("texts", "a text"),
    ("texts", "a mapping"),
    ("texts", "an array of texts"),
    ("texts", "a text in a list"),
    ("changes", "a text in a list"),
    ("path", "a text"),
}


def more(name: str, given: dict[str, Any]) -> dict[str, Any]:
    return {**given, "x": ROWS} if name == "count" else given


@pytest.mark.parametrize("name", ASKED)
def test_wrong_values_are_refused_by_name_or_work(name, monkeypatch, tmp_path):
    """An object of somebody's own may raise wherever it is looked at; the sentence says so without it."""
    make, given = ASKED[name]
    if name == "sweep.read":
        given = {**given, "path": sweeping.sweep(tmp_path, ['name = "Mean"'])}
    monkeypatch.chdir(tmp_path)
    make(**more(name, given))
    said = []
    for parameter in given:
        for called, value in WRONG.items():
            if (parameter, called) in OF_THE_RIGHT_KIND:
                continue
            try:
                tried(make, lambda made: made, more(name, given), parameter, value)
            except SilentError as error:
                said.append(f"{called}: {error}")
            except (Exception, SystemExit) as error:
                said.append(f"{called} for {parameter}: {type(error).__name__}")
    assert said == []


@pytest.mark.parametrize(
    "state", [np.zeros(3), np.zeros((2, 2)), np.zeros((1, 1, 2)), np.zeros(2, int), (np.zeros(2),)]
)
def test_a_state_that_does_not_fit_the_messages_is_refused(state):
    for rule in (CenteredClipping(1.0), Bucketing(CenteredClipping(1.0), 1)):
        with pytest.raises(ValueError, match=r"CenteredClipping needs .*state"):
            rule.aggregate(ROWS[None], state, Streams(0, "rule").runs(0, 1))


@pytest.mark.parametrize("errors", [[], [0.0], [0.0, -1.0], [[0.0, 1.0]], [0.0, float("nan"), 0.0]])
def test_a_table_of_errors_has_two_of_them_none_negative(errors):
    for search in (two_point.search_kappa, lambda errors: two_point.search_c(errors, 0.25)):
        with pytest.raises(ValueError, match=r"needs .*errors"):
            search(errors)


def test_numbers_of_every_kind_are_evidence():
    for number in (1, 0.5, Fraction(1, 2), np.float32(0.5), np.int64(1), float("inf"), float("nan")):
        verdict(**{**EVIDENCE, "measured": number})


NOT_ASKED = {
    "Scan": "is made by `Results`",
    "Sweep": "is made by `read`",
    "SweepError": "is raised",
    "check_setting": "finds what it is about as the others do",
    "class_of": "likewise",
    "examples": "takes sizes, which a test of all rules gives",
    "made_by_f": "takes nothing",
    "nearest": "writes hints",
    "of_module": "takes what is written around a colon",
    "published": "takes nothing",
    "reals": "as `class_of`",
    "takes": "as `class_of`",
}


def test_whatever_names_and_sweeps_have_is_asked():
    public = {name for of in (by_name, sweep) for name in of.__all__ if callable(getattr(of, name))}
    asked = {"Results", "read", "parse_settings", *(f"{kind}_by_name" for kind in by_name.REGISTER)}
    assert public == asked | NOT_ASKED.keys()
    assert {*by_name.REGISTER, "Results", "sweep.read", "parse_settings"} <= ASKED.keys()
