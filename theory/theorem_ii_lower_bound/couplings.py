"""The checks of Theorem II by exhaustion of small cases, in rationals: couplings, and the errors that they force."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from sims.aggregators import CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.checks.evidence import Evidence, Number
from sims.checks.exact_algorithm import ExactAlgorithm, ExactSGD
from sims.optimizers import SGD, ServerMomentum, WorkerMomentum
from theory.claim import Context, Control, claim
from theory.definition_b_permutation_invariance.algorithms import Counting, Dictator, Leaking, Zero
from theory.theorem_ii_lower_bound.errors import enumerated_error, forced_exactly
from theory.theorem_ii_lower_bound.worlds import Coupling, independent, mirror, paths, unswapped

STEP, SERVER, WORKER, CLIP = SGD(0.5), ServerMomentum(0.5, 0.5), WorkerMomentum(0.5, 0.5), CenteredClipping(0.25)

MOVING: Mapping[str, ExactAlgorithm] = {
    "the mean": ExactSGD(Mean(), STEP),
    "warm CC": ExactSGD(CLIP, STEP),
    "CC from 0": ExactSGD(CLIP, STEP, warm=False),
    "the mean, server momentum": ExactSGD(Mean(), SERVER),
    "warm CC, server momentum": ExactSGD(CLIP, SERVER),
    "the mean, worker momentum": ExactSGD(Mean(), WORKER),
}
RESTING: Mapping[str, ExactAlgorithm] = {
    "the median": ExactSGD(CoordinateMedian(), STEP),
    "TM(1)": ExactSGD(TrimmedMean(1), STEP),
    "Krum(1)": ExactSGD(Krum(1), STEP),
}
CLIPPED_WORKERS = ExactSGD(CLIP, WORKER)


def small(ctx: Context) -> tuple[int, Mapping[str, ExactAlgorithm]]:
    """n and the algorithms that are defined for it with f = 1: where time is short n = 4, without Krum."""
    if ctx.budget == "quick":
        return 4, {name: a for name, a in {**MOVING, **RESTING}.items() if "Krum" not in name}
    return 5, {**MOVING, **RESTING}


@claim(
    "If query points and output are functions of the rounds' multisets, both couplings give the same iterates on both "
    "problems unless more than f bits of a round are one.",
    part_of="corrected",
    controls=(
        Control("roles not exchanged", "then ΣU and ΣV change places", {"couplings": (unswapped,)}),
        Control("worker momentum with CC", "it pairs old messages with new", {"extra": {"it": CLIPPED_WORKERS}}),
        Control(
            "an algorithm that follows worker 1", "it knows who sent what", {"extra": {"the dictator": Dictator()}}
        ),
        Control("the leaking algorithm", "its query points know them", {"extra": {"leaking": Leaking(3)}}),
    ),
)
def couplings(
    ctx: Context,
    *,
    extra: Mapping[str, ExactAlgorithm] | None = None,
    couplings: tuple[Coupling, ...] = (mirror, independent),
) -> Iterable[Evidence]:
    """The largest difference of a query point or the output between the worlds, over all paths without a tail event."""
    for coupling in couplings:
        n, known = small(ctx)
        t = 3 if coupling is mirror else 2
        for name, algorithm in (extra or known).items():
            differences = [
                max(abs(a - b) for a, b in zip(*pair, strict=True)) for pair in paths(algorithm, n, 1, t, coupling)
            ]
            yield Evidence(
                f"{coupling.__name__} coupling, n = {n}, f = 1, t = {t}, {name}: largest difference on "
                f"{len(differences)} paths",
                max(differences),
                "=",
                0,
                "exact",
                covers="induction over the rounds, for all n, f, t and algorithms (step 5 of forced_error.md)",
                at={"n": n, "f": 1, "t": t, "algorithm": name, "coupling": coupling.__name__},
            )


@claim(
    "With the independent coupling the iterates of the mean and of centered clipping do move.",
    loose="one that shows is enough",
    controls=(Control("the median, TM, Krum", "they drop the outliers in any case", {"rules": RESTING}),),
)
def iterates_move(ctx: Context, *, rules: Mapping[str, ExactAlgorithm] = MOVING) -> Iterable[Evidence]:
    """How many different outputs the independent coupling produces; claimed: at least 2, else it tells nothing."""
    n, known = small(ctx)
    for name, algorithm in ((name, a) for name, a in rules.items() if name in known):
        outputs = {plus[-1] for plus, _ in paths(algorithm, n, 1, 2, independent)}
        at = {"n": n, "f": 1, "t": 2, "algorithm": name}
        yield Evidence(
            f"different outputs of {name} on paths without a tail event", len(outputs), ">=", 2, "exact", at=at
        )


def first_difference(pairs: Iterable[tuple[tuple[Fraction, ...], tuple[Fraction, ...]]]) -> int | None:
    """The first index at which some pair of paths differs; None if none does."""
    found = [i for pair in pairs for i, (a, b) in enumerate(zip(*pair, strict=True)) if a != b]
    return min(found, default=None)


@claim(
    "With worker momentum and centered clipping the iterates on the two problems differ after the second round.",
    controls=(
        Control("with the mean", "it never does", {"algorithm": ExactSGD(Mean(), WORKER)}),
        Control("on the server", "it never does", {"algorithm": ExactSGD(CLIP, SERVER)}),
    ),
)
def worker_momentum_parts(ctx: Context, *, algorithm: ExactAlgorithm = CLIPPED_WORKERS) -> Iterable[Evidence]:
    """After how many rounds the iterates of the two worlds first differ; claimed: 2."""
    for coupling in (mirror, independent):
        found = first_difference(paths(algorithm, small(ctx)[0], 1, 2, coupling))
        measured: Number = math.inf if found is None else found
        yield Evidence(
            f"rounds until the two problems differ, {coupling.__name__} coupling",
            measured,
            "=",
            2,
            "exact",
            covers="one path",
            at={"n": small(ctx)[0], "f": 1, "t": 2, "coupling": coupling.__name__},
        )


Make = Callable[[Fraction, int], ExactAlgorithm]
BLIND: Mapping[str, Make] = {
    "counting": lambda q, t: Counting(q),
    "zero": lambda q, t: Zero(),
    **{name: lambda q, t, a=a: a for name, a in MOVING.items() if "server" not in name},
    "voting on sorted rows": lambda q, t: Leaking(t, q, by_worker=False),
}
LEAKING: Make = lambda q, t: Leaking(t, q)  # noqa: E731 (a factory beside those of BLIND)


def error_is_forced(
    ctx: Context, *, makers: Mapping[str, Make] = BLIND, factor: Fraction = Fraction(1), covers: bool = True
) -> Iterable[Evidence]:
    """max_s E[f_s − f_s*]·μ/σ² by enumeration of all rounds, tail events included, beside (1 − p)^t·q/(2(1 − q))."""
    link = (
        "the same output unless more than f bits are one, and errors that add up to a²/μ (forced_error.md)"
        if covers
        else None
    )
    for name, make in makers.items():
        for n, f, t, q in ((3, 1, 2, Fraction(1, 8)), (5, 2, 3, Fraction(1, 4))):
            if ctx.budget == "quick" and n == 5 and name in MOVING:
                continue
            yield Evidence(
                f"error of {name} at n = {n}, f = {f}, t = {t}, q = {q}",
                enumerated_error(make(q, t), n, f, t, q),
                ">=",
                factor * forced_exactly(n, f, t, q),
                "exact",
                covers=link,
                at={"n": n, "f": f, "t": t, "q": q, "algorithm": name},
            )


@claim(
    "An algorithm whose query points and output are functions of the rounds' multisets errs by (1 − p)^t·qσ²/(2μ(1 − "
    "q)) on one of the two problems.",
    part_of="corrected",
    controls=(
        Control("5 % more", "counting attains it", {"factor": Fraction(21, 20)}),
        Control("the leaking algorithm", "its query points know the workers", {"makers": {"leaking": LEAKING}}),
    ),
)
def forced(ctx: Context, *, makers: Mapping[str, Make] = BLIND, factor: Fraction = Fraction(1)) -> Iterable[Evidence]:
    """The exact error of nine invariant algorithms beside the bound."""
    yield from error_is_forced(ctx, makers=makers, factor=factor)


@claim(
    "The corrected bound (1 − p)^t·qσ²/(2μ(1 − q)) on the two problems holds for every algorithm whose output alone is "
    "permutation invariant.",
    point=25,
    controls=(
        Control(
            "voting on sorted rows",
            "then the query points are functions of multisets",
            {"make": BLIND["voting on sorted rows"]},
            expect="survives",
        ),
    ),
)
def output_invariance(ctx: Context, *, make: Make = LEAKING) -> Iterable[Evidence]:
    """The exact error of an algorithm whose output alone is invariant beside the bound; claimed: no less."""
    yield from error_is_forced(ctx, makers={"leaking": make}, covers=False)


@claim(
    "Against the adversary who mirrors that is attained, by adding up all gradients.",
    controls=(
        Control(
            "the answer 0", "it makes no use of rounds in which more than f bits are one", {"make": lambda q, t: Zero()}
        ),
    ),
)
def attained(ctx: Context, *, make: Make = lambda q, t: Counting(q)) -> Iterable[Evidence]:
    """The error of `Counting` beside (1 − p)^t·q/(2(1 − q))."""
    for n, f, t, q in ((3, 1, 1, Fraction(1, 8)), (3, 1, 3, Fraction(1, 4)), (5, 2, 2, Fraction(1, 4))):
        yield Evidence(
            f"error of counting at n = {n}, f = {f}, t = {t}, q = {q}",
            enumerated_error(make(q, t), n, f, t, q),
            "=",
            forced_exactly(n, f, t, q),
            "exact",
            covers="0 errs by a²/(2μ); more than f ones give the sum of all gradients the sign −s",
            at={"n": n, "f": f, "t": t, "q": q},
        )
