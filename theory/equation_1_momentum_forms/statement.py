"""Equation (1): momentum m = g + βm with η beside (WORKER), m = (1 − β)g + βm with η/(1 − β).

For every rule and every attack that scale, the two forms give the same iterates; a rule with an absolute scale, raw
gradients and α_1 = 1 are the exceptions (`equivalence.md`). What τ should be is in `radius.md`: in proportion to the
standard deviation of the momenta, not to their variance. What raw gradients of attackers change is in
`raw_or_momentum.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Mean, Rule, TrimmedMean
from sims.attacks import ALittleIsEnough, Attack, BitFlipping, InnerProductManipulation, NoAttack, Together
from sims.by_name import published
from sims.checks.evidence import Evidence
from sims.checks.exact_rules import exact_aggregate
from sims.engine import simulate
from sims.engine.streams import Streams
from sims.optimizers import RobustSGD, WorkerMomentum
from sims.problems import Quadratic
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.equation_1_momentum_forms.identities import identities
from theory.equation_1_momentum_forms.radius import (
    proportional_to_deviation,
    proportional_to_variance,
    spread,
    tau_keeps_pace,
)
from theory.equation_1_momentum_forms.raw_or_momentum import krum_picks_raw, order_of_rules, raw_is_weaker

Messages = list[tuple[Fraction]]
ExactAttack = Callable[[Messages, Sequence[Fraction]], Messages]  # (honest messages, own raw gradients) → sent
ATTACKS: dict[str, Attack] = {
    "none": NoAttack(),
    "IPM": InnerProductManipulation(),
    "ALIE": ALittleIsEnough(),
    "BF on messages": BitFlipping(on="messages"),
}


def inner_product(honest: Messages, own: Sequence[Fraction]) -> Messages:
    """IPM with ε = ½, for each Byzantine worker."""
    centre = sum((m[0] for m in honest), Fraction(0)) / len(honest)
    return [(-centre / 2,)] * len(own)


def raw_bit_flipping(honest: Messages, own: Sequence[Fraction]) -> Messages:
    """−g_i without momentum."""
    return [(-g,) for g in own]


def path(
    rule: Rule,
    noise: Sequence[Sequence[Fraction]],
    *,
    beta: Fraction,
    eta: Fraction,
    damped: bool,
    attack: ExactAttack | None = None,
    f: int = 0,
    first_beta: Fraction | None = None,
) -> list[Fraction]:
    """x_1, …, x_T on f = ½x² from x_0 = 0 in rationals, gradients x − noise; the last f workers are Byzantine."""
    n = len(noise[0])
    x, centre, momenta, points = Fraction(0), Fraction(0), [Fraction(0)] * (n - f), []
    for t, row in enumerate(noise):
        b = first_beta if t == 0 and first_beta is not None else beta
        gradients = [x - value for value in row]
        momenta = [((1 - b) if damped else 1) * g + b * m for g, m in zip(gradients, momenta, strict=False)]
        messages: Messages = [(m,) for m in momenta]
        if attack is not None and f:
            messages += attack(messages, gradients[n - f :])
        warm = (centre,) if isinstance(rule, CenteredClipping) else None
        centre = exact_aggregate(rule, messages, warm)[0]
        x -= (eta / (1 - beta) if damped else eta) * centre
        points.append(x)
    return points


def gap(rule: Rule, damped_rule: Rule, noise: Sequence[Sequence[Fraction]], **given: object) -> Fraction:
    """The largest |difference| of the iterates of both forms: `rule` in form (1), `damped_rule` in WORKER."""
    one = path(rule, noise, damped=False, **given)  # pyright: ignore[reportArgumentType]
    worker = path(damped_rule, noise, damped=True, **given)  # pyright: ignore[reportArgumentType]
    return max(abs(a - b) for a, b in zip(one, worker, strict=True))


@claim(
    "The forms give equal iterates for every rule that scales, and CC with τ scaled by 1 − β in WORKER, "
    "under an attack on messages.",
    part_of=("printed", "corrected"),
    point=17,
    controls=(
        Control("RFA", "its ν = 0.1 is an absolute scale", {"rule": RFA(1), "T": 1}),
        Control("raw bit flipping", "raw gradients are not scaled", {"attack": raw_bit_flipping}),
        Control("α_1 = 1", "the first message is not scaled", {"first_beta": Fraction(0)}),
    ),
)
def scaling_rules(
    ctx: Context,
    *,
    rule: Rule | None = None,
    attack: ExactAttack = inner_product,
    first_beta: Fraction | None = None,
    T: int = 5,
) -> Iterable[Evidence]:
    """The largest |difference| of the iterates of both forms in rationals, each rule that scales; claimed to be 0.

    CC clips to τ in form (1) and to (1 − β)τ in WORKER.
    """
    n, f, beta, tau = 7, 1, Fraction(2, 3), Fraction(2)
    rng = Streams(*ctx.stream("noise")).generator(0)
    noise = [[Fraction(int(v), 8) for v in rng.integers(-16, 17, n)] for _ in range(T)]
    rules = {name: (made, made) for name, made in published(n, f).items() if name != "RFA"}
    rules["CC"] = CenteredClipping(tau), CenteredClipping((1 - beta) * tau)  # pyright: ignore[reportArgumentType]
    for name, pair in rules.items() if rule is None else ((type(rule).__name__, (rule, rule)),):
        value = gap(
            *pair,
            noise,
            beta=beta,
            eta=Fraction(1, 5),
            attack=attack,
            f=f,
            first_beta=first_beta,
        )
        yield Evidence(
            f"largest |x − x′| with {name}, β = {beta}, {T} rounds, n = {n}, f = {f}",
            value,
            "=",
            Fraction(0),
            "exact",
            at={"rule": name, "beta": float(beta), "T": T, "n": n, "f": f},
            covers="M_t = m_t/(1 − β) by induction, for every rule and attack that scale (equivalence.md)",
        )


@claim(
    "Runs of the engine in three dimensions agree bit for bit, CC with τ(1 − β) included, under four attacks.",
    controls=(
        Control("τ kept", "CC clips elsewhere", {"kept": True}),
        Control("raw bit flipping", "raw gradients are not scaled", {"raw": True}),
        Control("α_1 = 1", "the first message is not scaled", {"first_one": True}),
        Control("RFA", "ν is absolute", {"rule": RFA()}),
    ),
)
def engine(
    ctx: Context, *, kept: bool = False, raw: bool = False, first_one: bool = False, rule: Rule | None = None
) -> Iterable[Evidence]:
    """The largest |difference| of the end points of the engine's runs in both forms; β = 3/4, claimed to be 0.

    `kept` keeps τ, `raw` flips raw gradients, `first_one` has β_1 = 0.
    """
    n, f, beta, eta, steps = 11, 2, 0.75, 1 / 64, min(40, max(5, ctx.scaled(20)))
    problem = Quadratic.between(mu=0.1, L=1.0, dim=3, sigma_sq=1.0)
    clipping = CenteredClipping(2.0), CenteredClipping(2.0 if kept else 2.0 * (1 - beta))
    rules: dict[str, tuple[Rule, Rule]] = {"CC": clipping} | {  # the first one tells most controls
        name: (made, made) for name, made in published(n, f).items() if name not in ("CC", "RFA", "GeometricMedian")
    }
    if rule is not None:
        rules = {type(rule).__name__: (rule, rule)}
    together = (BitFlipping(),) if raw else tuple(ATTACKS.values())
    for name, pair in rules.items():
        ends = []
        for made, damped in zip(pair, (False, True), strict=True):
            momentum = WorkerMomentum(
                eta / (1 - beta) if damped else eta,
                beta=(lambda t: 0.0 if t == 1 else beta) if first_one else beta,
                damped=damped,
            )
            record = simulate(
                problem,
                RobustSGD(made, momentum),
                n=n,
                f=f,
                attack=Together(together),
                steps=steps,
                runs=20,
                seed=ctx.seed,
                x0=[1.0, 1.0, 1.0],
                grid=(len(together),),
                backend=ctx.backend,
                every=steps,
            )
            ends.append(record.x)
        yield Evidence(
            f"largest |x − x′| after {steps} rounds with {name} under {'BF' if raw else ', '.join(ATTACKS)}",
            float(np.max(np.abs(ends[0] - ends[1]))),
            "=",
            0,
            "exact",
            at={"rule": name, "n": n, "f": f, "beta": beta, "T": steps},
        )


@claim(
    "The forms agree for rules with an absolute scale too, CC with one τ and RFA with one ν.",
    point=17,
    controls=(
        Control("rules that scale", "they agree", {"rules": (CoordinateMedian(), TrimmedMean(0))}, "survives"),
        Control("ν = ½", "no message is shorter: RFA scales here", {"rules": (RFA(1, 0.5),)}, "survives"),
    ),
)
def every_rule(ctx: Context, *, rules: tuple[Rule, ...] = (CenteredClipping(1.0), RFA(1, 1.0))) -> Iterable[Evidence]:
    """One round of two honest workers (gradients −1 and −3): |x − x′| with one rule in both forms; claimed to be 0.

    RFA in one step with ν = 1: form (1) has weights 1 and ⅓ and moves by 3/2; WORKER sends −½ and −3/2, weights 1 and
    ⅔, and moves by 2·9/10. With ν = ½ no message is shorter than ν, and both move by 3/2.
    """
    for rule in rules:
        value = gap(rule, rule, [[Fraction(1), Fraction(3)]], beta=Fraction(1, 2), eta=Fraction(1))
        what = f"|x_1 − x′_1| with {type(rule).__name__}, β = ½, gradients −1 and −3"
        yield Evidence(what, value, "=", Fraction(0), "exact", at={"rule": type(rule).__name__, "beta": 0.5})


@claim(
    "The forms agree under the bit flipping of the released code, which sends raw gradients.",
    point=17,
    controls=(Control("IPM", "it acts on messages", {"attack": inner_product}, "survives"),),
)
def every_attack(ctx: Context, *, attack: ExactAttack = raw_bit_flipping) -> Iterable[Evidence]:
    """One round, mean of three, one Byzantine worker: |x − x′| of both forms; claimed to be 0."""
    noise = [[Fraction(1), Fraction(1), Fraction(1)]]
    value = gap(Mean(), Mean(), noise, beta=Fraction(1, 2), eta=Fraction(1), attack=attack, f=1)
    what = "|x_1 − x′_1|, n = 3, f = 1, β = ½, gradients −1"
    yield Evidence(what, value, "=", Fraction(0), "exact", at={"n": 3, "f": 1, "beta": 0.5})


@claim(
    "The forms agree with Theorem VI's α_1 = 1.",
    point=17,
    controls=(Control("m_0 = 0", "with a constant β they do", {"first_beta": None}, "survives"),),
)
def every_start(ctx: Context, *, first_beta: Fraction | None = Fraction(0)) -> Iterable[Evidence]:
    """One worker, one round, with β_1 = `first_beta`, β = ½ in η/(1 − β): |x − x′|; claimed to be 0."""
    value = gap(Mean(), Mean(), [[Fraction(1)]], beta=Fraction(1, 2), eta=Fraction(1), first_beta=first_beta)
    yield Evidence("|x_1 − x′_1|, n = 1, gradient −1", value, "=", Fraction(0), "exact", at={"n": 1, "beta": 0.5})


STATEMENT = Statement(
    stem="equation_1_momentum_forms",
    label="Equation (1)",
    title="Two forms of momentum",
    printed=r"$m_{t,i} = g_i(x_{t-1})+\beta m_{t-1,i}$ is equivalent to (WORKER) with learning rate $\eta/(1-\beta)$. "
    r"Theory predicts $\tau$ proportional to the variance of the updates; we scale $\tau$ by $1-\beta$ in (WORKER) "
    "form and leave it constant in form (1).",
    corrected=r"""
- For constant $\beta$ from $m_0 = 0$ the two forms give the same iterates, for rules with $\Agg(sx) = s\Agg(x)$,
  $s > 0$ (and CC with $\tau$ scaled by $1-\beta$) and attacks that scale so.
- CC's $\tau$ goes with the standard deviation of the updates, as in Theorem IV.
- If the noise of the gradients has the variance $\sigma^2$, that of WORKER's momenta has in the long run
  $\sigma^2(1-\beta)/(1+\beta)$: a $\tau$ scaled by $1-\beta$ falls behind their spread by $\sqrt{1-\beta^2}$.
""",
    says=r"$m = g + \beta m$ equals (WORKER) with $\eta/(1-\beta)$; $\tau$ scaled by $1-\beta$",
    says_corrected=r"Forms agree if rule and attack scale; spread $\sigma\sqrt{(1-\beta)/(1+\beta)}$",
    for_you="The two forms agree if the attackers scale as the honest workers do. Choose τ in proportion to the "
    "momenta's standard deviation.",
    rests_on="induction over the rounds (pen and paper, theory/equation_1_momentum_forms/equivalence.md), rational "
    "paths; for τ clip_{sτ}(sz) = s·clip_τ(z), for the spread a geometric series",
    source=Source(
        "main",
        "Section 7.2",
        "mt,i = gi (xt−1 ) + βmt−1,i . […] This version is equivalent to running (WORKER) update with a "
        "re-scaled learning rate of η/(1−β). Further, note that our theory predicts that the clipping "
        "radius τ should be proportional to the variance of the updates which in turn depends on the "
        "momentum parameter β. We scale τ by a factor of (1 − β) if using (WORKER) update, and leave it "
        "constant if using update of the form (1).",
        "Legible. 'τ proportional to the variance' contradicts Theorem IV's τ² = O(ρ²/δ).",
    ),
    fault=Fault(
        "wording",
        "The paper contradicts itself: here τ is proportional to the variance, but by τ² = O(ρ²/δ) in its Theorem IV "
        "to the standard deviation. The equivalence is true.",
    ),
    claims=(
        scaling_rules,
        proportional_to_variance,
        proportional_to_deviation,
        engine,
        every_rule,
        every_attack,
        every_start,
        spread,
        tau_keeps_pace,
        order_of_rules,
        raw_is_weaker,
        krum_picks_raw,
        identities,
    ),
    proofs=("equivalence", "radius", "raw_or_momentum"),
    uses=(
        "blanchard2017",
        "yin2018",
        "pillutla2022",
        "baruch2019",
        "xie2020",
        "clopper1934",
    ),
)
