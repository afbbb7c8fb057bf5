"""Definition A: δ-robust optimization, and whether our problems are instances of it.

A generator of problems may err in each part of the definition: a bias, too much variance, a wrong L, μ or f*. The
check measures all of them: bias and variance as finite sums, and from the random generators' own draws with
Hoeffding's and Bernstein's intervals. A definition has no part that could be refuted. What it leaves open is that the
gradients of one sample may jump. The proof is in `definition_a_problem.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sims.backend import Array, namespace
from sims.checks.evidence import Evidence
from sims.checks.polynomials import quotients, vanishes
from sims.checks.problem import FiniteLaw, cells, check_function, check_noise, sample_noise, signs
from sims.engine.streams import Streams
from sims.problems import Bernoulli, Draws, Pareto, Problem, Quadratic, Rademacher
from theory.claim import Context, Control, Source, Statement, claim
from theory.theorem_ii_lower_bound.worlds import TwoWorlds

QUADRATIC = Quadratic.between(mu=0.25, L=4.0, dim=3, sigma_sq=2.0, x_star=0.5)
Problems = Mapping[str, tuple[Problem, FiniteLaw, float]]  # with a finite law of the sample, and a bound of the noise

PROBLEMS: Problems = {
    "Bernoulli(¼), d = 2": (Bernoulli(0.25, dim=2), cells(4, 2), 0.75),
    "Rademacher, d = 2": (Rademacher(dim=2), cells(2, 2), 1.0),
    "quadratic, d = 3, with signs for normals": (QUADRATIC, signs(3), 1.0),
    "the world + of Theorem II": (TwoWorlds(1, 0.25), cells(4), 1.75),
    "the world − of Theorem II": (TwoWorlds(-1, 0.25, mu=0.1, sigma_sq=4.0), cells(4), 3.5),
}


@dataclass(frozen=True, eq=False)
class Altered(Problem):
    """A problem with a fault: a bias added to its gradients, its noise blown up, or other constants declared."""

    right: Problem
    bias: float = 0.0
    blow_up: float = 1.0
    declared: Mapping[str, float] = ()  # pyright: ignore[reportAssignmentType]

    def _constant(self, name: str) -> Any:
        return dict(self.declared).get(name, getattr(self.right, name))

    @property
    def dim(self) -> int:
        """Of the right problem."""
        return self.right.dim

    @property
    def L(self) -> Any:  # noqa: N802 (the paper's symbol)
        """The declared smoothness."""
        return self._constant("L")

    @property
    def mu(self) -> Any:
        """The declared strong convexity."""
        return self._constant("mu")

    @property
    def sigma_sq(self) -> Any:
        """The declared variance."""
        return self._constant("sigma_sq")

    @property
    def x_star(self) -> Any:
        """The declared optimum."""
        return self._constant("x_star")

    @property
    def f_star(self) -> Any:
        """The declared least value."""
        return self._constant("f_star")

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Of the right problem."""
        return self.right.sample_shape

    def excess(self, x: Array) -> Array:
        """Above the declared f*."""
        return self.right.value(x) - self.f_star

    def gradient(self, x: Array) -> Array:
        """Of the right problem."""
        return self.right.gradient(x)

    def draw(self, streams: Draws, steps: int, n: int) -> np.ndarray:
        """Of the right problem."""
        return self.right.draw(streams, steps, n)

    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """∇f + blow_up·noise + bias."""
        mean = self.right.gradient(x)[..., None, :]
        return mean + self.blow_up * (self.right.oracle(x, sample, honest) - mean) + self.bias


@dataclass(frozen=True, eq=False)
class Jumping(Altered):
    """½x² with g(x; ξ) = x + ξ·sgn(x), ξ = ±1: the noise of one sample jumps at 0."""

    def oracle(self, x: Array, sample: Array, honest: int | None = None) -> Array:
        """∇f + ξ·(1 if x ≥ 0 else −1)."""
        xp = namespace(x, sample)
        side = xp.where(x >= 0, xp.ones_like(x), -xp.ones_like(x))
        return self.right.gradient(x)[..., None, :] + sample * side[..., None, :]


Alter = Callable[[Problem], Problem]


def points_for(problem: Problem) -> np.ndarray:
    """The origin, and two points away from it, (3, d)."""
    wave = np.cos(np.arange(problem.dim) + 1.0)
    return np.stack([np.zeros(problem.dim), 2 * wave, -5 * wave])


def of(name: str, found: Iterable[Evidence]) -> Iterable[Evidence]:
    """The evidence, each item with the problem's name before it."""
    return (replace(e, what=f"{name}: {e.what}", at={"problem": name, **e.at}) for e in found)


FAULTS = (
    Control("a bias", "0.05 is added to every gradient", {"alter": lambda p: Altered(p, bias=0.05)}),
    Control("twice the variance", "the noise is scaled by √2", {"alter": lambda p: Altered(p, blow_up=2**0.5)}),
    Control(
        "σ² declared 10 % too small",
        "the noise has the full variance",
        {"alter": lambda p: Altered(p, declared={"sigma_sq": 0.9 * float(p.sigma_sq)})},
    ),
)


@claim("The gradients of our problems are unbiased with variance at most the declared σ².", controls=FAULTS)
def noise(ctx: Context, *, alter: Alter = lambda p: p, problems: Problems = PROBLEMS) -> Iterable[Evidence]:
    """Bias and variance of every problem under a finite law of its sample, beside 0 and the declared σ²."""
    for name, (problem, law, _) in problems.items():
        yield from of(name, check_noise(alter(problem), law, points_for(problem)))


@claim("So are the draws of our random generators, where the noise is bounded.", controls=FAULTS)
def draws(ctx: Context, *, alter: Alter = lambda p: p) -> Iterable[Evidence]:
    """The same from the generators' own draws, for the problems whose noise is bounded."""
    for name, (problem, _, bound) in PROBLEMS.items():
        if isinstance(problem, Quadratic):
            continue
        streams = Streams(*ctx.stream(name))
        found = sample_noise(
            alter(problem), streams, points_for(problem), draws=ctx.scaled(200_000), bound=1.5 * bound, alpha=ctx.alpha
        )
        yield from of(name, found)


@claim(
    "The Pareto problem has the mean and variance that it declares.",
    controls=(Control("shape 2.9", "its tail is heavier", {"shape": 2.9}),),
)
def heavy_tail(ctx: Context, *, shape: float = 3.0) -> Iterable[Evidence]:
    """E ξ and E ξ² of the Pareto quantile function by Riemann sums from both sides, beside the problem's constants."""
    declared, drawn = Pareto(3.0), Pareto(shape)
    edges = 1 - np.geomspace(1.0, 1e-12, 400_001)  # cells that shrink towards 1, where the quantile is steep
    values, widths = drawn.quantile(edges[:, None])[:, 0], np.diff(edges)
    # beyond the last edge 1 − e the power k has the integral e^{1 − k/a}·a/(a − k)
    for power, target in ((1, float(declared.mean)), (2, float(declared.variance + declared.mean**2))):
        rest = (1 - edges[-1]) ** (1 - power / shape) * shape / (shape - power)
        low, high = (float(np.sum(widths * v**power)) + rest for v in (values[:-1], values[1:]))
        error = (high - low) / 2 + 1e-9
        what = f"Pareto: E ξ^{power} by Riemann sums"
        at = {"problem": "Pareto", "power": power}
        yield Evidence(what, (low + high) / 2, "=", target, "exact", error, at=at)


@claim(
    "Our problems are L-smooth, μ-strongly convex and bounded below by f* = f(x*), as declared.",
    controls=(
        Control(
            "L declared 5 % too small",
            "the steepest direction climbs to L",
            {"alter": lambda p: Altered(p, declared={"L": 0.95 * float(p.L)})},
        ),
        Control(
            "μ declared 5 % too large",
            "the flattest direction has μ",
            {"alter": lambda p: Altered(p, declared={"mu": 1.05 * float(p.mu)})},
        ),
        Control(
            "f* declared too large",
            "f(x*) lies below it",
            {"alter": lambda p: Altered(p, declared={"f_star": float(p.f_star) + 0.1})},
        ),
    ),
)
def function(ctx: Context, *, alter: Alter = lambda p: p) -> Iterable[Evidence]:
    """L, μ, f* and x* of every problem against its values and gradients."""
    for name, (problem, _, _) in PROBLEMS.items():
        rng = Streams(*ctx.stream(name)).generator(0)
        yield from of(name, check_function(alter(problem), rng))


@claim(
    "Definition A does not make the stochastic gradients Lipschitz: those of ½x² with the noise ξ·sgn(x) are unbiased "
    "with variance 1 and jump at 0.",
    part_of="corrected",
    controls=(
        Control("additive noise", "it cancels in g(x; ξ) − g(y; ξ)", {"problem": Quadratic((1.0,), sigma_sq=1.0)}),
    ),
)
def samples_may_jump(ctx: Context, *, problem: Problem | None = None) -> Iterable[Evidence]:
    """E‖g(x; ξ) − g(y; ξ)‖²/‖x − y‖² at x = −y = ε of a problem that satisfies Definition A; claimed to be ≥ 1/ε²."""
    found = problem or Jumping(Quadratic((1.0,), sigma_sq=1.0))
    law = signs(1)
    yield from of("½x² with jumping noise", check_noise(found, law, points_for(found)))
    for eps in (1e-1, 1e-3, 1e-6):
        x, y = (found.oracle(np.array([p]), law.samples) for p in (eps, -eps))
        ratio = float(np.sum(law.weights * np.sum((x - y) ** 2, axis=-1))) / (2 * eps) ** 2
        yield Evidence(
            f"E‖g(x; ξ) − g(y; ξ)‖²/‖x − y‖² at x = −y = {eps:g}",
            ratio,
            ">=",
            1 / eps**2,
            "exact",
            covers="1 + 1/ε² exactly: E(2ε + 2ξ)²/(4ε²), unbounded as ε → 0",
            at={"epsilon": eps},
        )


@claim(
    "The identities and signs in the proof hold for all values of the letters.",
    controls=(Control("additive noise", "then the difference has no noise left", {"jump": 0}),),
)
def identities(ctx: Context, *, jump: int = 2) -> Iterable[Evidence]:
    """What is left of each identity, and which coefficients have the wrong sign."""
    x, s, eps = quotients("x s eps")  # s = s(x), s² = 1
    yield vanishes("mean and variance of x + ξs (step 1)", ((x + s) + (x - s)) / 2 - x, (s**2 + s**2) / 2 - s**2)
    E = ((2 * eps + jump) ** 2 + (2 * eps - jump) ** 2) / 2
    yield vanishes("the mean square over (2ε)² (step 2)", E / (2 * eps) ** 2 - 1 - 1 / eps**2)
    a, one = 3, x**0
    yield vanishes(
        "two moments at a = 3 (step 4)",
        one * a / (a - 1) - one * 3 / 2,
        one * a / (a - 2) - (one * 3 / 4 + (one * 3 / 2) ** 2),
    )


STATEMENT = Statement(
    stem="definition_a_problem",
    label="Definition A",
    title="δ-robust optimization",
    printed=r"Find $x$ with $\E\norm{\nabla f(x)}^2 \le \eps$. Here $f$ is $L$-smooth and bounded below by $f^*$; each "
    r"worker has independent, unbiased stochastic gradients with $\E\norm{g_i(x)-\nabla f(x)}^2 \le \sigma^2$; at "
    r"least $(1-\delta)n$ workers are good, the rest are omniscient, send anything, and stay the same throughout.",
    corrected=r"""
Definition A does not bound how the gradients of single samples change. The instance
$g(x;\xi) = x + \xi\,\mathrm{sgn}(x)$, $\xi = \pm1$, satisfies it with $L = \sigma^2 = 1$, and at $x = -y = \eps$

$$
\frac{\E\norm{g(x;\xi)-g(y;\xi)}^2}{\norm{x-y}^2} = 1+\frac1{\eps^2} .
$$
""",
    says=r"$L$-smooth $f$, noise variance $\le \sigma^2$, a fixed set of Byzantine workers",
    says_corrected="Definition A does not imply mean-square smoothness of the gradients",
    for_you="You may use it as it is, but variance reduction (Theorem VII) needs stochastic gradients that are smooth "
    "in the mean square besides.",
    rests_on="one exact instance, g = x + ξ·sgn x with ξ = ±1: two lines by pen and paper, and its moments in numbers",
    source=Source(
        "main",
        "Section 1, Setup",
        "The function f is L-smooth […] and is bounded from below […] Each worker i has access to an independent and "
        "unbiased stochastic gradient […] Of the n workers, at least (1 − δ)n workers are good (denoted by G) and will "
        "follow the protocol faithfully. The rest of the bad or Byzantine workers (denoted by B) may act maliciously "
        "and can communicate arbitrary messages to the server. […] we assume that this set […] of Byzantine workers B "
        "remains fixed throughout the optimization process.",
        "The formulas are legible.",
    ),
    claims=(noise, draws, heavy_tail, function, samples_may_jump, identities),
    proofs=("definition_a_problem",),
    uses=(
        "hoeffding1963",
        "maurer2009",
    ),
)
