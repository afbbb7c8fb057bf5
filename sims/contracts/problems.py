"""What every problem owes, as functions that raise: import them into the tests of a problem of your own.

`check_problem(problem)` asks an oracle for samples, gradients and measures, and a `Problem` whether what it declares of
its function is true (`sims.contracts.constants`, `sims.contracts.samples`). It raises an `AssertionError` that names
the contract and how it is broken. `contracts_for_problem(problem)` lists the contracts one by one. What is not about a
constant is compared bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from sims.backend import Array, device, get_namespace, namespace
from sims.checked import told, whole
from sims.contracts.constants import (
    check_problem_constants,
    check_problem_gradient,
    check_problem_minimiser,
    check_problem_smoothness,
    check_problem_strong_convexity,
)
from sims.contracts.parts import (
    Contract,
    having,
    made_like,
    require_alike,
    require_equal,
    require_like,
    require_tree,
    rng,
    rows_of,
    unlike,
    untouched,
    without_globals,
)
from sims.contracts.samples import (
    PURPOSE,
    check_problem_heterogeneity,
    check_problem_unbiased,
    check_problem_variance,
    honest_workers,
)
from sims.contracts.support import contract, values, violated
from sims.engine.streams import Streams
from sims.owned import asked, copied
from sims.problems import Labelled, Oracle, Problem, Stateful

RUNS = 3
MEASURES = ("excess", "sq_gradient_norms", "sq_distances")  # of every problem


@dataclass(frozen=True)
class Sight:
    """Points x (RUNS, d) of the problem's own kind, samples for n workers, the first g honest, and a seed."""

    x: Array
    sample: Any
    n: int
    g: int
    seed: int


def sight(problem: Oracle, seed: int = 0, like: Array | None = None) -> Sight:
    """Normal points in the problem's precision and in its library, or that of `like`, and samples that it draws."""
    dim = asked("problem", lambda: problem.dim)
    where = asked("problem", lambda: (problem.backend, problem.precision, problem.device))
    xp = get_namespace(where[0]) if like is None else namespace(like)
    there = where[2] if like is None else device(like)
    x = made_like(rng(seed).normal(size=(RUNS, dim)), xp.zeros(1, dtype=getattr(xp, where[1]), device=there))
    g = honest_workers(problem)
    return Sight(x, there_too(problem, _drawn(problem, seed, 1, g + 1)[0], x), g + 1, g, seed)


def there_too(problem: Oracle, sample: np.ndarray, x: Array) -> Any:
    """A sample as the engine hands it over: where x is; on the host to a problem that remembers."""
    return sample if isinstance(problem, Stateful) else namespace(x).asarray(sample, device=device(x))


def _drawn(problem: Oracle, seed: int, steps: int, n: int, first: int = 0, runs: int = RUNS) -> np.ndarray:
    streams = Streams(seed, PURPOSE).runs(first, runs)
    return asked("problem", problem.draw, streams, steps, n, kept=streams)


def _oracle(problem: Oracle, x: Array, sample: Any, g: int, **flips: bool) -> Array:
    return asked("problem", problem.oracle, x, sample, g, **flips)


def _questions(problem: Oracle, seen: Sight) -> dict[str, Callable[[Array], Any]]:
    """What can be asked about points x (..., RUNS, d), by name."""
    found: dict[str, Callable[[Array], Any]] = {
        "oracle": lambda x: _oracle(problem, x, seen.sample, seen.g),
        "measure": lambda x: asked("problem", problem.measure, x),
    }
    if isinstance(problem, Problem):
        for name in ("excess", "gradient", "value"):
            found[name] = partial(asked, "problem", getattr(problem, name))
    return found


@contract("kind")
def check_problem_kind(problem: Oracle, seen: Sight) -> None:
    """Samples, gradients, values and measures have the shapes that they must have, in the library and dtype of x."""
    x, (runs, d) = seen.x, seen.x.shape
    shape = asked("problem", lambda: problem.sample_shape)
    for what, number in (("dim", d), *(("sample_shape", k) for k in shape)):
        if isinstance(number, bool) or not isinstance(number, int) or number < (what == "dim"):
            raise violated("kind", problem, f"{what} must be whole numbers, got {number!r}")
    for n in (seen.n, 1):
        drawn = _drawn(problem, seen.seed, 2, n)
        if not isinstance(drawn, np.ndarray) or drawn.shape != (2, RUNS, n, *shape):
            told = f"{getattr(drawn, 'shape', type(drawn).__name__)} where {(2, RUNS, n, *shape)} is right"
            raise violated("kind", problem, f"samples of {n} workers: {told}")
    require_like("kind", problem, _oracle(problem, x, seen.sample, seen.g), x, (runs, seen.n, d), "the gradients")
    wanted = {"excess": (runs,), "value": (runs,), "gradient": (runs, d)}
    for name, ask in _questions(problem, seen).items():
        if name in wanted:
            require_like("kind", problem, ask(x), x, wanted[name], name)
    streams = Streams(seen.seed, PURPOSE).runs(0, RUNS)
    start = asked("problem", problem.start, streams, RUNS, kept=streams)
    if start is not None and getattr(start, "shape", None) != (RUNS, d):
        raise violated("kind", problem, f"start must be of shape {(RUNS, d)}, got {getattr(start, 'shape', start)}")
    if isinstance(problem, Stateful):
        require_tree("kind", problem, asked("problem", problem.begin, x, seen.n, seen.g))


@contract("measures")
def check_problem_measures(problem: Oracle, seen: Sight) -> None:
    """Measures are arrays over the leading axes of x, the same names for every x, of several rounds at once as of one.

    Those of a `Problem` are its excess, the squared norm of its gradient and the squared distance to x*.
    """
    xp = namespace(seen.x)
    one = asked("problem", problem.measure, seen.x)
    both = asked("problem", problem.measure, xp.stack([seen.x, unlike(seen.x, seen.seed + 1)]))
    if set(one) != set(both):
        raise violated("measures", problem, f"{sorted(one)} at some points and {sorted(both)} at others")
    for name, noted in one.items():
        if tuple(noted.shape[:1]) != (RUNS,):
            raise violated("measures", problem, f"{name} must have the shape ({RUNS}, …), got {tuple(noted.shape)}")
        require_alike("measures", problem, both[name][0, ...], noted, f"{name} of two rounds at once")
    if not isinstance(problem, Problem):
        return
    if missing := set(MEASURES) - set(one):
        raise violated("measures", problem, f"there is no {min(missing)!r} among {sorted(one)}")
    slope = values(asked("problem", problem.gradient, seen.x)).astype(np.float64)
    away = values(seen.x).astype(np.float64) - np.asarray(asked("problem", lambda: problem.x_star))
    right = values(asked("problem", problem.excess, seen.x)), np.sum(slope**2, -1), np.sum(away**2, -1)
    slack = 64 * seen.x.shape[-1] * float(xp.finfo(seen.x.dtype).eps)
    for name, expected in zip(MEASURES, right, strict=True):
        off = float(np.max(np.abs(values(one[name]) - expected)))
        if not off <= slack * (1 + float(np.max(np.abs(expected)))):
            raise violated("measures", problem, f"{name} is not what it says, by {off:.6g}")


@contract("inputs untouched")
def check_problem_inputs_untouched(problem: Oracle, seen: Sight) -> None:
    """Neither points nor samples are written to; its own methods are called with the arrays themselves."""
    name = "inputs untouched"
    untouched(name, problem, partial(_plain_oracle, problem, seen.g), (seen.x, seen.sample), "oracle")
    asking = ("measure", "excess", "gradient", "value") if isinstance(problem, Problem) else ("measure",)
    for what in asking:
        untouched(name, problem, getattr(problem, what), (seen.x,), what)


def _plain_oracle(problem: Oracle, g: int, x: Array, sample: Any) -> Array:
    return problem.oracle(x, sample, g)


@contract("no hidden state")
def check_problem_no_hidden_state(problem: Oracle, seen: Sight) -> None:
    """The same question has the same answer, whatever was asked in between; samples depend on the stream alone."""
    asking = {**_questions(problem, seen), "draw": lambda x: _drawn(problem, seen.seed, 2, seen.n)}
    first = {name: copied(ask(seen.x)) for name, ask in asking.items()}
    for times in (1, 2):  # as many calls as no period goes through unseen
        for _ in range(times):
            _drawn(problem, seen.seed + 1, 1, seen.n)
            for ask in asking.values():
                ask(unlike(seen.x, times) * 10.0**times)
        for name, ask in asking.items():
            require_equal("no hidden state", problem, ask(seen.x), first[name], f"{name} once more")


@contract("global random numbers")
def check_problem_global_random(problem: Oracle, seen: Sight) -> None:
    """It draws from the streams that it is handed: global generators neither move nor matter."""
    asking = {**_questions(problem, seen), "draw": lambda x: _drawn(problem, seen.seed, 2, seen.n)}
    for name, ask in asking.items():
        without_globals("global random numbers", problem, partial(ask, seen.x), name)


@contract("streams")
def check_problem_streams(problem: Oracle, seen: Sight) -> None:
    """Drawing in chunks gives the same samples, and each run has those that it has alone."""
    n, seed = seen.n, seen.seed
    whole_draw = _drawn(problem, seed, 7, n)
    streams = Streams(seed, PURPOSE).runs(0, RUNS)
    chunks = [asked("problem", problem.draw, streams, steps, n, kept=streams) for steps in (3, 1, 3)]
    require_equal("streams", problem, np.concatenate(chunks), whole_draw, "samples in chunks of 3, 1 and 3")
    for k in range(RUNS):
        alone = _drawn(problem, seed, 7, n, first=k, runs=1)
        require_equal("streams", problem, whole_draw[:, k : k + 1], alone, f"samples of run {k} beside others")


@contract("leading axes")
def check_problem_leading_axes(problem: Oracle, seen: Sight) -> None:
    """Runs side by side are each what it is alone, and one sample at two points is what it is at each."""
    x, xp = seen.x, namespace(seen.x)
    other = unlike(x, seen.seed + 2)
    for name, ask in _questions(problem, seen).items():
        both = ask(xp.stack([x, other]))
        for k, point in enumerate((x, other)):
            found = {key: part[k, ...] for key, part in both.items()} if name == "measure" else both[k, ...]
            require_alike(
                "leading axes", problem, found, ask(point), f"{name} at two points with one sample, point {k}"
            )
        together = ask(x)
        for k in range(RUNS):
            sample = seen.sample[k : k + 1, ...]
            alone = _questions(problem, replace(seen, sample=sample))[name](rows_of(x, k, 0))
            require_alike("leading axes", problem, _run(together, k), alone, f"{name} of run {k} beside others")


def _run(found: Any, k: int) -> Any:
    """Run k of an answer, an array or arrays by name, as a batch of one."""
    return {key: _run(part, k) for key, part in found.items()} if isinstance(found, Mapping) else found[k : k + 1, ...]


@contract("labels")
def check_problem_labels(problem: Oracle, seen: Sight) -> None:
    """With flipped labels the honest workers' gradients are the same, and the others' are not."""
    plain = _oracle(problem, seen.x, seen.sample, seen.g)
    flipped = _oracle(problem, seen.x, seen.sample, seen.g, flip=True)
    require_like("labels", problem, flipped, plain, tuple(plain.shape), "the gradients of flipped labels")
    honest = plain[..., : seen.g, :]
    require_equal("labels", problem, flipped[..., : seen.g, :], honest, "honest gradients while others flip labels")
    # of one sample the flipped label may be the label, as that of the middle class
    samples = (_drawn(problem, seen.seed + k, 1, seen.n)[0] for k in range(16))
    for drawn in samples:
        sample = there_too(problem, drawn, seen.x)
        one, two = (_oracle(problem, seen.x, sample, seen.g, flip=flip) for flip in (False, True))
        if not np.array_equal(values(one[..., seen.g :, :]), values(two[..., seen.g :, :])):
            return
    raise violated("labels", problem, "no sample is found whose gradient changes with its label")


@contract("array parameter")
def check_problem_array_parameter(problem: Oracle, seen: Sight, name: str) -> None:
    """An array over the runs in the field `name` gives what each of its values gives alone."""
    now = getattr(problem, name)
    singles = [having(problem, name, value) for value in (0.5 * now, now, now + 0.25)]
    grid = [float(getattr(one, name)) for one in singles if one is not None]
    if not grid:
        return
    array = np.array((grid * RUNS)[:RUNS])
    together = having(problem, name, array)
    if together is None:
        raise violated("array parameter", problem, f"{name} is among its reals, and an array is refused")
    for what, ask in _questions(together, seen).items():
        found = ask(seen.x)
        for k, value in enumerate(array):
            alone = having(problem, name, float(value))
            right = _questions(alone, replace(seen, sample=seen.sample[k : k + 1, ...]))[what](rows_of(seen.x, k, 0))
            told = f"{what} with {name} = {value} beside others"
            require_alike("array parameter", problem, _run(found, k), right, told)


ORACLE = (
    ("kind", check_problem_kind),
    ("no hidden state", check_problem_no_hidden_state),
    ("global random numbers", check_problem_global_random),
    ("inputs untouched", check_problem_inputs_untouched),
    ("streams", check_problem_streams),
    ("leading axes", check_problem_leading_axes),
    ("measures", check_problem_measures),
)
CONSTANTS = (
    ("constants", check_problem_constants),
    ("gradient", check_problem_gradient),
    ("smoothness", check_problem_smoothness),
    ("strong convexity", check_problem_strong_convexity),
    ("minimiser", check_problem_minimiser),
    ("variance", check_problem_variance),
    ("unbiasedness", check_problem_unbiased),
    ("heterogeneity", check_problem_heterogeneity),
)


def contracts_for_problem(problem: Oracle, seed: int = 0, like: Array | None = None) -> Iterator[tuple[str, Contract]]:
    """(name, check) of every contract that an oracle or a `Problem` owes; each check takes it.

    Raises `ValueError` for anything else, and where a parameter is an array over runs: one is checked at a time; an
    `AssertionError` where no number of honest workers has gradients.
    """
    owner = "contracts_for_problem"
    if not isinstance(problem, Oracle):
        raise ValueError(f"{owner} needs a sims Oracle, got problem = {told(problem)}")
    seed = whole(owner, "seed", seed, least=0)
    for name, own in problem.reals.items():
        if np.ndim(getattr(problem, name, 0.0)) > own:
            raise ValueError(f"{owner} needs one value of {name}, got an array over the leading axes")
    seen = _seen(problem, seed, like)
    yield from ((name, partial(check, seen=seen)) for name, check in ORACLE)
    if isinstance(problem, Labelled):
        yield "labels", partial(check_problem_labels, seen=seen)
    if is_dataclass(problem):
        known = {field.name for field in fields(problem)}
        for name, own in problem.reals.items():
            if name in known and not own and isinstance(getattr(problem, name), int | float):
                yield f"array parameter {name}", partial(check_problem_array_parameter, seen=seen, name=name)
    if isinstance(problem, Problem):
        yield from ((name, partial(check, seed=seed)) for name, check in CONSTANTS)


def _seen(problem: Oracle, seed: int, like: Array | None) -> Sight:
    found: list[Sight] = []
    contract("kind")(lambda part: found.append(sight(part, seed, like)))(problem)
    return found[0]


def check_problem(problem: Oracle, seed: int = 0, like: Array | None = None) -> None:
    """Run every contract of a problem: shapes, purity, streams, and whether all that it declares is true.

    `like` is an array of the library in which points are handed over, the problem's own unless it is given. Constants
    are looked at in float64 NumPy.

    >>> from sims.problems import Quadratic
    >>> check_problem(Quadratic(eigenvalues=(1.0, 2.0), sigma_sq=1.0))
    """
    for _, check in contracts_for_problem(problem, seed, like):
        check(problem)
