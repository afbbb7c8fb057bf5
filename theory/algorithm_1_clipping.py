"""Algorithm 1: centered clipping as it is coded, and what follows from its few lines at once.

The output moves with all messages and the centre; it is within Lτ of the centre, whatever is sent; n messages at the
centre are a fixed point; and a radius that clips nothing makes one step the mean. Why is in `algorithm_1_clipping.md`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from sims.aggregators import CenteredClipping, Mean, Rule
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.engine.streams import Streams
from theory.claim import Context, Control, Source, Statement, claim
from theory.theorem_iv_centered_clipping.paths import rational_instance

ROUNDING = 1e-13  # of values up to 60 in float64, tens of operations
Maker = Callable[[Any, int], Rule]  # (τ, L) → a rule


@dataclass(frozen=True, eq=False)
class DividedByUnclipped(CenteredClipping):
    """A wrong variant: the sum of the clipped differences over the number of unclipped ones (at least 1)."""

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        """One step after the other."""
        v = np.broadcast_to(state, (*x.shape[:-2], x.shape[-1])).astype(float)
        for tau in self.radii:
            away = x - v[..., None, :]
            norms = np.sqrt(np.sum(away**2, axis=-1, keepdims=True))
            factor = np.minimum(1, np.asarray(tau)[..., None, None] / np.where(norms > 0, norms, 1))
            kept = np.maximum(np.sum(factor[..., 0] >= 1, axis=-1), 1)[..., None]
            v = v + np.sum(away * factor, axis=-2) / kept
        return v, v


@dataclass(frozen=True, eq=False)
class RecentredOnMean(CenteredClipping):
    """A wrong variant: it forgets v and clips around the mean of the messages."""

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        """Clips around the mean first."""
        return super().combine(x, np.mean(x, axis=-2), rng)


@dataclass(frozen=True, eq=False)
class AroundOrigin(CenteredClipping):
    """A wrong variant: it clips around the origin, whatever v is."""

    def combine(self, x: Any, state: Any, rng: Any) -> tuple[Any, Any]:
        """Clips around 0."""
        return super().combine(x, np.zeros_like(state), rng)


def printed_step(
    rows: Sequence[Sequence[Fraction]], v: Sequence[Fraction], tau: Fraction, lengths: Sequence[Fraction]
) -> tuple[Fraction, ...]:
    """v + (1/n) Σ_i (m_i − v) min(1, τ/‖m_i − v‖), given the distances."""
    factors = [Fraction(1) if length <= tau else tau / length for length in lengths]
    return tuple(
        v[j] + sum((k * (row[j] - v[j]) for k, row in zip(factors, rows, strict=True)), Fraction(0)) / len(rows)
        for j in range(len(v))
    )


@claim(
    "The rule as coded computes Algorithm 1, the factor being 1 at m_i = v.",
    controls=(
        Control("divided by the number of unclipped", "printed is 1/n", {"make": DividedByUnclipped}),
        Control("around the mean of the messages", "printed is v", {"make": RecentredOnMean}),
    ),
)
def as_coded(ctx: Context, *, make: Maker = CenteredClipping) -> Iterable[Evidence]:
    """The largest difference between the rule as coded and the printed lines in rationals; claimed: rounding."""
    worst, count = Fraction(0), 0
    for row in itertools.combinations_with_replacement((-3, 0, 1, 5), 4):
        for v, tau, steps in itertools.product((Fraction(-2), Fraction(1)), (Fraction(1, 2), Fraction(3)), (1, 3)):
            coded, _ = make(float(tau), steps)(np.array(row, dtype=float)[:, None], np.array([float(v)]))
            wanted = exact_aggregate(CenteredClipping(tau, steps), [[Fraction(k)] for k in row], [v])[0]
            worst, count = max(worst, abs(Fraction(float(coded[0])) - wanted)), count + 1
    yield Evidence(
        f"largest difference from Algorithm 1, {count} inputs on the line, L = 1 and 3",
        worst,
        "=",
        0,
        "exact",
        ROUNDING,
        scale=1.0,
        at={"n": 4, "d": 1},
    )
    rng, worst, count = Streams(*ctx.stream("plane")).generator(0), Fraction(0), ctx.scaled(200)
    for _ in range(count):
        v, rows, lengths, _, tau = rational_instance(rng)
        wanted = printed_step(rows, v, tau, lengths)
        coded, _ = make(float(tau), 1)(np.array(rows, dtype=float), np.array(v, dtype=float))
        worst = max(worst, *(abs(Fraction(float(y)) - w) for y, w in zip(coded, wanted, strict=True)))
    yield Evidence(
        f"largest difference from Algorithm 1, {count} planes with rational distances",
        worst,
        "=",
        0,
        "exact",
        ROUNDING,
        scale=1.0,
        at={"d": 2, "l": 1},
    )


@claim(
    "By default L = 1 and v is the previous aggregate; in the first round, of which nothing is printed, the code "
    "takes v = 0.",
    controls=(Control("v = 0 in every round", "then it has no memory", {"carry": False}),),
)
def defaults(ctx: Context, *, carry: bool = True) -> Iterable[Evidence]:
    """The difference of two rounds by the defaults from L = 1, v = 0 and then v = the first aggregate, in rationals."""
    first, second = [[4.0], [1.0], [-0.5], [0.25]], [[-3.0], [2.0], [0.5], [0.5]]
    rule = CenteredClipping(tau=1.0)
    y, state = rule(np.array(first))
    z, _ = rule(np.array(second), state if carry else None)
    centre = exact_aggregate(CenteredClipping(Fraction(1)), [[Fraction(v)] for (v,) in first])
    wanted = exact_aggregate(CenteredClipping(Fraction(1)), [[Fraction(v)] for (v,) in second], centre)
    what = "second aggregate by default minus L = 1 step from the first one (powers of 2 only)"
    yield Evidence(what, Fraction(float(z[0])) - wanted[0], "=", Fraction(0), "exact")
    yield Evidence(
        "first aggregate minus L = 1 step from 0", Fraction(float(y[0])) - centre[0], "=", Fraction(0), "exact"
    )


def sample(ctx: Context, purpose: str) -> Iterable[tuple[np.ndarray, np.ndarray, np.ndarray, int]]:
    """(messages (runs, n, d), v, τ, L) of several shapes."""
    for number, (n, d, steps) in enumerate(((3, 1, 1), (8, 2, 4), (20, 5, 2))):
        rng = Streams(*ctx.stream(purpose)).generator(number)
        runs = ctx.scaled(2000)
        x = rng.uniform(-3, 3, (runs, n, d)) * 10 ** rng.uniform(-1, 1, (runs, n, 1))
        yield x, rng.uniform(-3, 3, (runs, d)), 10 ** rng.uniform(-1, 1, runs), steps


@claim(
    "Shifting all messages and v shifts the output.",
    part_of="corrected",
    controls=(Control("clipping around the origin", "the origin does not move", {"make": AroundOrigin}),),
)
def shifts(ctx: Context, *, make: Maker = CenteredClipping) -> Iterable[Evidence]:
    """The largest |AGG(m + s; v + s) − AGG(m; v) − s|; claimed: rounding."""
    for x, v, tau, steps in sample(ctx, "shift"):
        rule, by = make(tau, steps), np.arange(1, x.shape[-1] + 1) * 4.0
        worst = float(np.max(np.abs(rule(x + by, v + by)[0] - rule(x, v)[0] - by)))
        what = f"largest |AGG(m + s; v + s) − AGG(m; v) − s|, n = {x.shape[-2]}, d = {x.shape[-1]}, L = {steps}"
        at = {"n": x.shape[-2], "d": x.shape[-1], "l": steps}
        yield Evidence(what, worst, "=", 0, "exact", ROUNDING, covers="only m_i − v enters", scale=1.0, at=at)


@claim(
    "The output lies within Lτ of v, whatever is sent.",
    part_of="corrected",
    controls=(
        Control("around the mean of the messages", "one message moves the mean anywhere", {"make": RecentredOnMean}),
        Control("divided by the number of unclipped", "then a step is up to nτ", {"make": DividedByUnclipped}),
        Control("0.99·Lτ", "n far messages in one direction attain Lτ", {"share": 0.99}),
    ),
)
def reach(ctx: Context, *, make: Maker = CenteredClipping, share: float = 1.0) -> Iterable[Evidence]:
    """The largest ‖output − v‖/(Lτ) over random messages and n far ones in one direction; claimed: ≤ `share`."""
    for x, v, tau, steps in sample(ctx, "reach"):
        x = x.copy()
        x[: len(x) // 2] += 1e3  # all of them far in one direction
        moved = np.sqrt(np.sum((make(tau, steps)(x, v)[0] - v) ** 2, axis=-1))
        worst = float(np.max(moved / (steps * tau)))
        what = f"largest ‖output − v‖/(Lτ), n = {x.shape[-2]}, d = {x.shape[-1]}, L = {steps}"
        at = {"n": x.shape[-2], "d": x.shape[-1], "l": steps}
        yield Evidence(what, worst, "<=", share, "exact", 10 * ROUNDING, covers="‖c_i‖ ≤ τ, averaged, L times", at=at)


@claim(
    "n messages at v leave v where it is; n equal ones within τ of v are found in one step.",
    part_of="corrected",
    controls=(Control("clipping around the origin", "from there it does not arrive", {"make": AroundOrigin}),),
)
def agrees(ctx: Context, *, make: Maker = CenteredClipping) -> Iterable[Evidence]:
    """The largest |output − m| for n messages m = v, and for n equal ones at distance τ/2; claimed: 0 and rounding."""
    for x, v, tau, _ in sample(ctx, "equal"):
        n, d = x.shape[-2:]
        rule = make(tau, 1)
        same = np.broadcast_to(v[:, None], x.shape)
        what = f"largest |output − v|, all messages at v, n = {n}, d = {d}"
        worst, at = float(np.max(np.abs(rule(same, v)[0] - v))), {"n": n, "d": d, "l": 1}
        yield Evidence(what, worst, "=", 0.0, "exact", covers="c_i = 0", at=at)
        near = v + tau[:, None] / (2 * np.sqrt(d))
        output = rule(np.broadcast_to(near[:, None], x.shape), v)[0]
        what = f"largest |output − m|, n messages at one place m at τ/2 from v, n = {n}, d = {d}"
        yield Evidence(
            what,
            float(np.max(np.abs(output - near))),
            "=",
            0,
            "exact",
            ROUNDING,
            covers="(1/n) Σ (m − v) = m − v",
            scale=1.0,
            at=at,
        )


@claim(
    "With τ at least the largest distance one step is the mean, from every v.",
    part_of="corrected",
    controls=(
        Control("half that τ", "then some messages are clipped", {"enlarge": 0.5}),
        Control(
            "the mean for τ half as large",
            "it never clips",
            {"enlarge": 0.5, "make": lambda tau, steps: Mean()},
            "survives",
        ),
    ),
)
def unclipped(ctx: Context, *, make: Maker = CenteredClipping, enlarge: float = 1.0) -> Iterable[Evidence]:
    """The largest |output − mean| with τ = enlarge·(the largest distance from v); claimed: rounding."""
    for x, v, _, _ in sample(ctx, "unclipped"):
        tau = enlarge * np.max(np.sqrt(np.sum((x - v[:, None]) ** 2, axis=-1)), axis=-1)
        worst = float(np.max(np.abs(make(tau, 1)(x, v)[0] - np.mean(x, axis=-2))))
        what = f"largest |output − mean|, n = {x.shape[-2]}, d = {x.shape[-1]}"
        at = {"n": x.shape[-2], "d": x.shape[-1], "l": 1}
        yield Evidence(what, worst, "=", 0, "exact", ROUNDING, covers="every factor is 1", scale=1.0, at=at)


STATEMENT = Statement(
    stem="algorithm_1_clipping",
    label="Algorithm 1",
    title="Centered clipping as coded",
    printed=r"""
Input $m_1, \dots, m_n$, $\tau$, $v$, $L$; default $L = 1$ and $v$ = the previous round's aggregate. $L$ times:

$$
c_i \leftarrow (m_i-v)\min\Bigl(1, \frac\tau{\norm{m_i-v}}\Bigr), \qquad v \leftarrow v+\frac1n\sum_ic_i .
$$

Output $v$.
""",
    corrected=r"""
- The output moves by $s$ if all messages and $v$ do.
- It lies within $L\tau$ of $v$, whatever is sent.
- $n$ messages at $v$ leave it; $n$ equal ones within $\tau$ of $v$ are found in one step.
- With $\tau$ at least the largest distance one step is the mean.
""",
    says="Centered clipping, $L$ steps from $v$: an algorithm",
    says_corrected=r"$\norm{\text{output}-v} \le L\tau$ whatever is sent; shifts commute",
    for_you="One call moves the centre by at most Lτ, whatever is sent. So one call does little harm, and from a far "
    "centre it does little good.",
    rests_on="immediate from the printed lines (pen and paper, algorithm_1_clipping.md)",
    source=Source(
        "main",
        "Section 5.2, Algorithm 1",
        "input: (m1 , . . . , mn ), τ , v, L 2: default: L = 1 and v = m̂ (previous round aggreg.) 3: for each "
        "iteration l = 1,. . . , L do",
        "Interleaved with Theorem IV in the text at hand, no symbol lost; nothing is printed on v in the first round.",
    ),
    claims=(as_coded, defaults, shifts, reach, agrees, unclipped),
    proofs=("algorithm_1_clipping",),
)
