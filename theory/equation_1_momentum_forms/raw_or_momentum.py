"""Whether BF and LF attackers send raw gradients or momenta (Section 7.2, point 24), by runs of the engine.

In the paper's released code honest workers send momenta m = g + βm (form (1)); the attackers of bit flipping and label
flipping send raw gradients, −g_i or g_i of flipped labels. At β = 0 that makes no difference. Otherwise raw gradients
are shorter, hence the weaker attack on all that is near the mean, and lie in the midst of the honest momenta, where
Krum looks: `raw_or_momentum.md`.

*The runs.* Problems with known x*; the same samples of the workers for every rule. Where runs with both kinds of
attackers are compared one by one they share their samples too; for the order of rules they do not, so that the orders
are found twice. Claims that need the same runs share them, and so their samples: the seed is the statement's. The error
of a run is f(x_t) − f* averaged over t = ⅝T, ¾T, ⅞T and T. One is *above* another if it is larger in more than
half of all possible runs: decided by the share among the runs made and its Clopper–Pearson interval, so that nothing
is assumed of how errors are distributed. CC has the radius √(v/(1 − β²)), v the variance of a gradient at x*.

What it settles: that the order *can* change, and why, where workers are alike and f is strongly convex. What the
order in the paper's neural experiment is, only that experiment can tell.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Rule, TrimmedMean
from sims.attacks import Attack, BitFlipping, LabelFlipping
from sims.checks.confidence import proportion
from sims.checks.evidence import Evidence
from sims.engine import Streams, simulate
from sims.engine.round import Round
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Problem, Quadratic, SoftmaxRegression
from theory.claim import Context, Control, claim

ETA, STEPS, RECORDS, RUNS = 0.01, 160, 8, 48
COINCIDE = "the first momentum and every later one is the gradient"
RULES = ("CM", "TM", "RFA", "Krum", "CC")
QUADRATIC = Quadratic.between(mu=0.25, L=1.0, dim=5, sigma_sq=1.0)
SOFTMAX = SoftmaxRegression.mixture(classes=4, dim=2, size=128, ridge=0.25)
PROBLEMS: dict[str, tuple[Problem, float]] = {  # name → the problem, every coordinate of x_0
    "quadratic": (QUADRATIC, 5**-0.5),
    "classification": (SOFTMAX, 0.0),
}


@dataclass(frozen=True)
class Setting:
    """What is trained, under which attack, by how many workers, with which momentum, how often."""

    problem: str
    attack: str
    n: int
    f: int
    beta: float = 0.9
    runs: int = RUNS
    steps: int = STEPS

    def __str__(self) -> str:
        return f"{self.attack}, {self.problem}, n = {self.n}, f = {self.f}, β = {self.beta:g}"

    @property
    def at(self) -> dict[str, float | str]:
        """The same, field by field."""
        return {"attack": self.attack, "problem": self.problem, "n": self.n, "f": self.f, "beta": self.beta}

    def sends(self, on: str) -> Attack:
        """The attack on raw "gradients" or on "messages", that is momenta."""
        return BitFlipping(on) if self.attack == "BF" else LabelFlipping(on)

    def rule(self, name: str) -> Rule:
        """One of the paper's five rules."""
        problem = PROBLEMS[self.problem][0]
        variance = float(SOFTMAX.variance(SOFTMAX.x_star)) if problem is SOFTMAX else QUADRATIC.sigma_sq
        spread = (variance / (1 - self.beta**2)) ** 0.5
        made = (CoordinateMedian(), TrimmedMean(self.f), RFA(), Krum(self.f), CenteredClipping(spread))
        return made[RULES.index(name)]


KINDS = (("classification", "LF"), ("classification", "BF"), ("quadratic", "BF"))
SMALL = tuple(Setting(*kind, 11, 4) for kind in KINDS)
LARGE = tuple(Setting(*kind, 25, 5) for kind in KINDS)
SLOW = Setting(*KINDS[0], 11, 4, 0.99)
PLAIN = Setting(*KINDS[0], 11, 4, 0.0, 4 * RUNS, STEPS // 2)  # fewer runs or rounds leave pairs open
EVERY = (SMALL[0], LARGE[0], *SMALL[1:], LARGE[1], SLOW)  # smaller budgets take the first of them


@functools.cache
def errors(setting: Setting, name: str, on: str, runs: int, seed: int, backend: str) -> np.ndarray:
    """The error of each run with the rule called `name`, (runs,), when attackers send what `on` says."""
    problem, start = PROBLEMS[setting.problem]
    record = simulate(
        problem,
        RobustSGD(setting.rule(name), WorkerMomentum(ETA, setting.beta, damped=False)),
        n=setting.n,
        f=setting.f,
        attack=setting.sends(on),
        steps=setting.steps,
        runs=runs,
        seed=seed,
        x0=np.full(problem.dim, start),
        backend=backend,
        every=setting.steps // RECORDS,
    )
    return np.mean(record.excess[-RECORDS // 2 :], axis=0)


@functools.cache
def seed_of(stem: str, seed: int, purpose: str) -> int:
    """The seed of the runs of a statement, one for all its claims."""
    return int(Streams(seed, f"{stem}/raw or momentum/{purpose}").generator(0).integers(2**62))


def both(ctx: Context, setting: Setting, name: str, kept_seed: str = "runs") -> tuple[np.ndarray, np.ndarray]:
    """The errors with raw gradients and with momenta; the small settings at β = 0.9 get more runs at full budget."""
    runs = max(setting.runs, ctx.scaled(setting.runs)) if setting in SMALL else setting.runs
    kinds = (("gradients", "runs"), ("messages", kept_seed))
    raw, kept = (
        errors(setting, name, on, runs, seed_of(ctx.stem, ctx.seed, purpose), ctx.backend) for on, purpose in kinds
    )
    return raw, kept


def above(a: np.ndarray, b: np.ndarray, alpha: float) -> int:
    """1 if a is certainly above b in more than half of all runs, −1 if b is above a, 0 if that is open."""
    for sign, wins in ((1, np.sum(a > b)), (-1, np.sum(b > a))):
        if proportion(int(wins), len(a), alpha)[0] > 0.5:
            return sign
    return 0


@claim(
    "Under BF and LF the order of CM, TM, RFA, Krum and CC is the same whether the attackers send raw "
    "gradients or momenta.",
    point=24,
    controls=(Control("β = 0", COINCIDE, {"settings": (PLAIN,)}, "survives"),),
)
def order_of_rules(ctx: Context, *, settings: Sequence[Setting] = EVERY) -> Iterable[Evidence]:
    """How many pairs of rules are in the other order when attackers send momenta; claimed: none.

    Between those that certainly are and those that may be: all intervals of one setting share one level. Attackers who
    send momenta meet other samples than those who send gradients: equal runs would agree without any statistics.
    """
    for setting in settings[: ctx.scaled(2)]:
        found = {name: both(ctx, setting, name, "other runs") for name in RULES}
        pairs = list(itertools.combinations(RULES, 2))
        alpha = ctx.alpha / (4 * len(pairs))
        turned, unclear = [], 0
        for a, b in pairs:
            before, after = (above(found[a][k], found[b][k], alpha) for k in (0, 1))
            turned += [f"{a}–{b}"] * (before * after < 0)
            unclear += before * after == 0
        what = (
            f"pairs in another order: {setting} ({', '.join(turned) or 'none'} certain, {unclear} of {len(pairs)} open)"
        )
        value = len(turned) + unclear / 2
        yield Evidence(what, value, "=", 0, "sampled", unclear / 2, scale=len(pairs), at=setting.at)


@claim(
    "At β = 0.9 attackers who keep momenta leave CM, TM, RFA and CC with the larger error in more than "
    "half of the runs.",
    point=24,
    loose="a share of runs: the interval is as wide as the samples are few",
    controls=(
        Control("β = 0", COINCIDE, {"beta": 0.0}),
        Control("Krum", "it picks raw gradients, which lie in the midst", {"names": ("Krum",)}),
    ),
)
def raw_is_weaker(
    ctx: Context, *, names: Sequence[str] = ("CM", "TM", "RFA", "CC"), beta: float = 0.9
) -> Iterable[Evidence]:
    """The probability that a run ends with a larger error when the attackers keep momenta; claimed: at least ½."""
    for setting in (SMALL[1], SMALL[0], SMALL[2], *LARGE)[: ctx.scaled(2)]:
        chosen = Setting(setting.problem, setting.attack, setting.n, setting.f, beta)
        for name in names:
            raw, kept = both(ctx, chosen, name)
            what = f"P(momenta leave the larger error), {name}, {chosen}"
            yield majority(what, kept > raw, ctx.alpha, {"rule": name, **chosen.at})


def majority(what: str, cases: np.ndarray, alpha: float, at: Mapping[str, float | str]) -> Evidence:
    """The probability of a case from independent runs, beside ½."""
    count, runs = int(np.sum(cases)), len(cases)
    low, high = proportion(count, runs, alpha)
    return Evidence(f"{what}: {count} of {runs}", (low + high) / 2, ">=", 0.5, "sampled", (high - low) / 2, at=at)


def attackers_picked(setting: Setting, on: str, seed: int) -> np.ndarray:
    """In which share of the last T/2 rounds Krum's output is no honest worker's momentum, (runs,)."""
    problem, start = PROBLEMS[setting.problem]
    algorithm = RobustSGD(setting.rule("Krum"), WorkerMomentum(ETA, setting.beta, damped=False))
    play = Round(problem, algorithm, setting.sends(on), setting.n, setting.f)
    states = play.begin(np.full((RUNS, problem.dim), start))
    samples = problem.draw(Streams(seed, "sample").runs(0, RUNS), STEPS, setting.n)
    picked = []
    for sample in samples:
        states, _ = play(states, sample, None, None, None)
        state = states.algorithm
        honest = state.memory.workers[:, : setting.n - setting.f]
        picked.append(~np.any(np.all(honest == state.aggregate[:, None], axis=-1), axis=-1))
    return np.mean(picked[STEPS // 2 :], axis=0)


@claim(
    "At β = 0.9 Krum picks attackers in most rounds if they send raw gradients.",
    point=24,
    loose="a share of runs: the interval is as wide as the samples are few",
    controls=(
        Control("momenta", "they lie no closer than honest momenta", {"on": "messages"}),
        Control("β = 0", "gradients of honest workers are as close", {"beta": 0.0}),
    ),
)
def krum_picks_raw(ctx: Context, *, on: str = "gradients", beta: float = 0.9) -> Iterable[Evidence]:
    """The probability of a run in which Krum picks attackers in most of the last T/2 rounds; claimed: at least ½."""
    for setting in (*SMALL, *LARGE)[: ctx.scaled(3)]:
        chosen = Setting(setting.problem, setting.attack, setting.n, setting.f, beta)
        shares = attackers_picked(chosen, on, seed_of(ctx.stem, ctx.seed, "runs"))
        what = f"P(attackers picked in most rounds), {chosen}, {np.mean(shares):.2f} of these rounds"
        yield majority(what, shares > 0.5, ctx.alpha, {"rule": "Krum", **chosen.at})
