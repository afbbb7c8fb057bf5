"""What a checked statement is made of: evidence, claims with their controls, and the verdicts that follow from them."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal

import numpy as np

Kind = Literal["exact", "proved", "searched", "sampled", "reproduced"]
Relation = Literal["<=", ">=", "="]
Verdict = Literal["holds", "supported", "refuted", "undecided"]
Side = Literal["printed", "corrected", "point"]
Number = int | float | Fraction

BUDGETS: Mapping[str, float] = {"quick": 0.125, "default": 1.0, "full": 8.0}
FALSE_ALARM = 1e-6  # a whole run's probability of a wrong "refuted", at most
SHARE = 1e-9  # what each sampled interval takes of it


def _exact(value: Number) -> Fraction:
    return Fraction(value if isinstance(value, int | Fraction) else float(value))


def _difference(a: Number, b: Number) -> Number:
    """a − b without rounding: a float and a fraction that differ, differ."""
    if a == b:
        return 0
    for value, signed in ((a, a), (b, -b)):
        if isinstance(value, float) and math.isinf(value):
            return signed
    return _exact(a) - _exact(b)


@dataclass(frozen=True)
class Evidence:
    """A measured value beside a claimed one, never a bare yes or no.

    The true value lies within `error` of `measured`: 0 in exact arithmetic, a rounding bound or interval radius, or the
    half-width of a confidence interval of level 1 − `SHARE`. `covers` names the pen-and-paper link by which this
    evidence settles the claim for its full quantifier; without it the evidence is one instance. An interval that
    straddles the claimed value counts as survived when it is narrower than `resolution` × `scale` (unless given, the
    larger of the two values), else as undecided.
    """

    what: str
    measured: Number
    relation: Relation
    claimed: Number
    kind: Kind
    error: float = 0.0
    covers: str | None = None
    resolution: float = 0.05
    scale: float | None = None

    @property
    def verdict(self) -> Verdict:
        """What this evidence alone says of the claim."""
        if any(v != v for v in (self.measured, self.claimed, self.error)):  # NaN; safe for Fractions of any size
            return "undecided"
        if self.error == math.inf:
            return "undecided"
        excess = _difference(self.measured, self.claimed)
        if self.relation == "=":
            contradicted, settled = abs(excess) > self.error, self.error == 0
        else:
            excess = excess if self.relation == "<=" else -excess
            contradicted, settled = excess > self.error, excess <= -self.error
        if contradicted:
            return "refuted"
        scale = max(abs(self.measured), abs(self.claimed)) if self.scale is None else self.scale
        if not settled and not self.error <= self.resolution * scale:
            return "undecided"
        return "holds" if self.covers and self.kind in ("exact", "proved") else "supported"

    @property
    def tightness(self) -> float:
        """|log(measured/claimed)|: 0 where the bound is attained, infinite where a ratio has no meaning."""
        if not (0 < self.measured < math.inf and 0 < self.claimed < math.inf):
            return math.inf
        ratio = _exact(self.measured) / _exact(self.claimed)
        return abs(math.log(ratio.numerator) - math.log(ratio.denominator))


@dataclass
class Context:
    """What a check may depend on: the budget, the seed and the array library. Everything else it computes."""

    stem: str
    claim: str
    budget: str = "default"
    seed: int = 0
    backend: str = "numpy"
    intervals: int = field(default=0, init=False)

    @property
    def alpha(self) -> float:
        """The false-alarm probability of one sampled interval; each reading takes one share of the run's budget."""
        self.intervals += 1
        return SHARE

    def scaled(self, count: int) -> int:
        """`count` samples or evaluations at the default budget, an eighth of them when quick, eight times when full."""
        return max(1, round(count * BUDGETS[self.budget]))

    def stream(self, purpose: str) -> tuple[int, str]:
        """(seed, purpose) for `sims.engine.streams.Streams`, distinct for every claim."""
        return self.seed, f"{self.stem}/{self.claim}/{purpose}"

    def asarray(self, values: Any) -> Any:
        """`values` in float64 on the chosen backend."""
        from sims.backend import get_namespace

        xp = get_namespace(self.backend)
        return xp.asarray(np.asarray(values, dtype=np.float64))


Check = Callable[..., Iterable[Evidence]]


@dataclass(frozen=True)
class Control:
    """The same check with a replaced claim or component, and what must come of it.

    A claim that stands is controlled by variants that must be refuted; a claim that is refuted also by a variant that
    must survive, so that refuting is not the check's habit.
    """

    name: str
    because: str
    replace: Mapping[str, Any]
    expect: Literal["refuted", "survives"] = "refuted"

    def caught(self, verdict: Verdict) -> bool:
        """Whether the verdict of the replaced check is the expected one."""
        return verdict == "refuted" if self.expect == "refuted" else verdict in ("holds", "supported")


@dataclass(frozen=True)
class Claim:
    """One claim: a sentence, what it says something about, the check that decides it and the controls of that check.

    A claim that stands is expected to be near what is measured: with its claimed side a quarter nearer some evidence
    refutes it. One that is not so says in `loose` why, and then needs a control that changes what is *measured*, by a
    dropped assumption or a replaced component (`tests/test_checks_can_fail.py`).
    """

    name: str
    text: str
    about: tuple[Side, ...]
    check: Check
    controls: tuple[Control, ...]
    point: int | None = None  # the number of the open point that this claim settles
    loose: str | None = None  # why the claimed side is far from what is measured

    def __post_init__(self) -> None:
        if not self.controls:
            raise ValueError(f"claim {self.name} has no control: a check that cannot fail is a defect")
        if ("point" in self.about) != (self.point is not None):
            raise ValueError(f"claim {self.name} needs a point number exactly when it is about a point")


@dataclass(frozen=True)
class Statement:
    """A numbered statement of the paper with its claims. `data` computes what its figure draws.

    A statement of this suite's own, beyond the paper, has no `printed` text, and its own in `corrected`.
    """

    stem: str
    label: str
    title: str
    printed: str | None
    corrected: str | None
    claims: tuple[Claim, ...]
    data: Callable[[Context], dict[str, Any]] | None = None

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.stem}: claim names must differ, got {', '.join(names)}")
        if self.ours and (self.corrected is None or any("printed" in claim.about for claim in self.claims)):
            raise ValueError(
                f"{self.stem}: without a printed text it needs a corrected one and no claim about the print"
            )

    @property
    def ours(self) -> bool:
        """Whether the paper has no such statement."""
        return self.printed is None


def claim_verdict(evidence: Iterable[Evidence]) -> Verdict:
    """Refuted by one contradiction, undecided by one open item, holds where some evidence covers the claim."""
    verdicts = [e.verdict for e in evidence]
    for decisive in ("refuted", "undecided", "holds", "supported"):
        if decisive in verdicts:
            return decisive
    return "undecided"


def side_verdict(verdicts: Iterable[Verdict]) -> Verdict | None:
    """A statement's verdict from those of its claims: the weakest; None without claims."""
    found = set(verdicts)
    for decisive in ("refuted", "undecided", "supported", "holds"):
        if decisive in found:
            return decisive
    return None


def headline(evidence: list[Evidence]) -> Evidence | None:
    """The item that speaks for a statement: the first contradiction, else the tightest bound, else an equality."""
    for e in evidence:
        if e.verdict == "refuted":
            return e
    return min(evidence, key=lambda e: (e.relation == "=", e.tightness), default=None)
