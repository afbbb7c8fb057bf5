"""The report's panels: which fields each has, what it computes, and how that is said.

Titles, labels and remarks are Markdown with formulas in LaTeX between dollars.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from byzcheck.report import closed_forms
from byzcheck.report.closed_forms import Numbers


@dataclass(frozen=True)
class Field:
    """A field: its name, its symbol in LaTeX, what it is, its first value and its range; `log`: by powers of ten."""

    name: str
    symbol: str
    what: str
    value: float
    least: float
    most: float
    step: float | None = None
    log: bool = False

    @property
    def handle(self) -> Mapping[str, float]:
        """What the slider beside the field has; logarithms if it goes by powers of ten."""
        if not self.log:
            return {"value": self.value, "min": self.least, "max": self.most, "step": self.step or 0.01}
        value, least, most = (math.log10(number) for number in (self.value, self.least, self.most))
        return {"value": value, "min": least, "max": most, "step": 0.05}


@dataclass(frozen=True)
class Panel:
    """A panel: its title, its fields, the label of each number (Markdown), what to know of it, what computes it."""

    title: str
    fields: tuple[Field, ...]
    rows: Mapping[str, str]
    compute: Callable[..., Numbers]
    remark: str = ""

    def numbers(self, **values: float) -> Numbers:
        """The numbers for these values of the fields; of the first ones for the others."""
        return self.compute(**({field.name: field.value for field in self.fields} | values))


SENTENCES = {
    "range": "One of the fields has no number, or one that it does not allow.",
    "half": "The hypothesis δ < ½ fails: against half of the workers or more no rule has a bounded error.",
    "none": "The hypothesis f ≥ 1 fails: without attackers there is nothing to show.",
    "told": "The hypothesis f ≤ F fails: a rule must be told of all the attackers that there are.",
    "fifteen": "needs δ ≤ 0.15",
    "short": "needs δn ≥ 4(1 + log t)",
    "few": "needs n ≥ 2F + 3",
    "more": "It says something: the bound is below the gradient that you may start with.",
    "nothing": "It says nothing yet: the bound is above the gradient that you may start with. Take more rounds.",
}
N = Field("n", "n", "workers", 25, 3, 200, 1)
F = Field("f", "f", "of them Byzantine", 5, 0, 99, 1)
DELTA = Field("delta", r"\delta", "share of Byzantine workers", 0.1, 0.001, 0.6, 0.001)
RHO = Field("rho", r"\rho", "distance of two honest messages", 1, 1e-3, 1e3, log=True)
START = Field("B", "B", "distance of the centre from the honest mean", 10, 1e-3, 1e3, log=True)
SIGMA = Field("sigma", r"\sigma", "standard deviation of a gradient", 1, 1e-3, 1e3, log=True)
TRAINING = (
    N,
    F,
    Field("T", "T", "rounds", 100_000, 1, 10**9, 1, log=True),
    Field("F0", "F_0", "of the objective above its least value, at the start", 1, 1e-3, 1e3, log=True),
    SIGMA,
    Field("L", "L", "smoothness", 1, 1e-3, 1e3, log=True),
)
START_ROW = {
    "start": r"For comparison: $2LF_0$, which $\norm{\nabla f(x_0)}^2$ does not exceed",
    "says": "Does the bound say anything?",
}
ERROR_OF_STEPS = r"the error after $l$ steps: $\E\norm{v_l - \bar x}^2 \le"

PANELS: Mapping[str, Panel] = {
    "theorem_ii_lower_bound": Panel(
        "How much must you lose without worker momentum?",
        (
            Field("n", "n", "workers", 100, 3, 200, 1),
            Field("f", "f", "of them Byzantine", 20, 0, 99, 1),
            Field("T", "t", "rounds", 50, 1, 10**9, 1, log=True),
            SIGMA,
            Field("mu", r"\mu", "strong convexity", 1, 1e-3, 1e3, log=True),
        ),
        {
            "error": r"On one of two problems the error $\E[f(\tilde x_t)] - f^*$ is at least",
            "q": "where an honest gradient is an outlier with probability $q$",
            "simple": r"The simple formula $0.21\,\delta\sigma^2/\mu$",
        },
        closed_forms.lower_bound,
        "This binds every permutation-invariant algorithm. Worker momentum is not one.",
    ),
    "theorem_iii_limits": Panel(
        "How near to the best possible is the trimmed mean?",
        (N, F, RHO),
        {
            "here": "No rule has a smaller $c$ at these $n$ and $f$",
            "any": r"No rule has a smaller $c$ for all $n$ at once: $\frac{1}{2(1-2\delta)}$",
            "trimmed": r"The trimmed mean has this $c$: $\frac{g-1}{g}\cdot\frac{1}{2(1-2\delta)}$, $g = n - f$",
            "error": r"So its error is at most $c\delta\rho^2$",
        },
        closed_forms.limits,
    ),
    "theorem_iv_centered_clipping": Panel(
        "Which radii, and how small is the error then?",
        (DELTA, RHO, START, Field("l", "l", "steps", 5, 1, 200, 1)),
        {
            "tau": r"Radii for $\delta \le 0.15$: $\tau_j = \max(2.5\rho/\sqrt\delta,\, B(5\delta)^j/0.9)$",
            "bound": rf"With them, {ERROR_OF_STEPS} 2(5\delta)^{{2l}}B^2 + 90\delta\rho^2$",
            "wide_tau": r"Radii for every $\delta < \frac12$: "
            r"$\tau_j = \max(\rho/((1-2\delta)\sqrt\delta),\, B(\tfrac12+\delta)^{j-1})$",
            "wide": rf"With them, {ERROR_OF_STEPS} 4(\tfrac12+\delta)^{{2l}}B^2 + 117\delta\rho^2/(1-2\delta)^4$",
            "printed": r"For comparison, as printed: $(6.45\delta)^l\,2B^2 + 1360\delta\rho^2$",
        },
        closed_forms.clipping,
        r"The steps are $j = 0, \dots, l - 1$. All this is for a centre that is fixed before the messages are drawn.",
    ),
    "corollary_v_iterations": Panel(
        "One step or many?",
        (DELTA, RHO, START),
        {
            "tau": r"One step with $\tau^2 = (1-\delta)(B^2 + \rho^2/2)/(4\delta)$",
            "c": "has this $c$",
            "steps": r"The radii for $\delta \le 0.15$ of Theorem IV, so many steps: $1.74\log(2B^2/(\delta\rho^2))$",
            "many": "have this $c$",
            "wide_steps": r"The radii for every $\delta < \frac12$, so many steps",
            "wide": r"have this $c$: $1 + 117/(1-2\delta)^4$",
            "trimmed": "For comparison: the trimmed mean, without centre and radius, has this $c$",
        },
        closed_forms.steps,
        "The constants 90 and 117 serve every $\\delta$ at once. `byzcheck radius` computes smaller ones for yours.",
    ),
    "theorem_vi_momentum": Panel(
        "Which step size, and which bound, with the trimmed mean?",
        TRAINING,
        {
            "eta": r"The best step size $\eta$",
            "alpha": r"with $\alpha = 8L\eta$",
            "beta": r"that is, momentum $\beta = 1 - \alpha$",
            "kappa": r"Noise that is left: $\kappa = 2c\delta + 1/g$",
            "bound": r"Bound on the average of $\E\norm{\nabla f}^2$ from $m_0 = 0$",
            "printed": "For comparison: the printed bound, with the printed step size",
            **START_ROW,
        },
        closed_forms.momentum,
    ),
    "remark_5_rate": Panel(
        "What do attackers cost, and what do more workers help?",
        TRAINING,
        {
            "rate": r"Bound $\sqrt{160LF_0\sigma^2\kappa/T} + 20LF_0/T$ with the trimmed mean",
            "alone": "The same if all $n$ workers are honest",
            "limit": r"The same with ever more workers and this share $\delta$ of attackers",
            "eta": r"The best step size $\eta$",
            "smaller": r"in units of the best one without attackers",
            "kappa": r"Noise that is left: $\kappa = 2c\delta + 1/g$",
            "cap": r"$\eta$ falls as $1/\sqrt\kappa$ from so many rounds on: $10LF_0/(\sigma^2\kappa)$",
        },
        closed_forms.rate,
    ),
    "theorem_vii_mvr": Panel(
        "Which parameters, and which bound, with the trimmed mean?",
        TRAINING,
        {
            "eta": r"Step size $\eta$",
            "alpha": r"with $\alpha = \frac{16}{3}\kappa L^2\eta^2$",
            "b0": "Samples $b_0$ in each worker's first estimate",
            "kappa": r"Noise that is left: $\kappa = 2c\delta + 1/g$",
            "bound": r"Bound on the average of $\E\norm{\nabla f}^2$",
            "momentum": "For comparison: the bound of Theorem VI, worker momentum without correction",
            **START_ROW,
        },
        closed_forms.variance_reduction,
        "Here $L$ is the smoothness of single gradients in the mean square.",
    ),
    "beyond_exact_constants": Panel(
        r"What is $\kappa^*$ of each rule at your $n$ and $f$?",
        (N, F, Field("F", "F", "attackers that the rules are told of", 5, 1, 99, 1)),
        {
            "trimmed": r"Trimmed mean: $F/(n-f-F)$, the least possible for any rule",
            "arc": "ARC before the trimmed mean",
            "smea": "SMEA and Phocas",
            "meamed": "Meamed",
            "median": "Median of each coordinate, which is told nothing",
            "geometric": "Geometric median, which is told nothing",
            "mda": "MDA",
            "nnm": "Nearest-neighbour mixing before the trimmed mean",
            "krum": "Krum; its exact value at some $n$ and $f$ is in the table of constants",
            "monna": "MoNNA, if the worker that it trusts is honest",
        },
        closed_forms.constants,
        "Two numbers mean: proved from below and from above.",
    ),
}
