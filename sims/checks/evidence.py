"""Evidence for a claim: a measured number beside a claimed one, and the verdicts that follow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal, get_args

import numpy as np

from sims.checked import choice, told, words

Kind = Literal["exact", "proved", "searched", "sampled", "reproduced"]
Relation = Literal["<=", ">=", "="]
Verdict = Literal["holds", "supported", "refuted", "undecided"]
Number = int | float | Fraction


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
    half-width of a confidence interval. `covers` names the pen-and-paper link by which this
    evidence settles the claim for its full quantifier; without it the evidence is one instance. An interval that
    straddles the claimed value counts as survived when it is narrower than `resolution` × `scale` (unless given, the
    larger of the two values), else as undecided. `at` says what the item is about, field by field: n, f, δ, the rule, …
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
    at: Mapping[str, Number | str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        for name in ("measured", "claimed", "error", "resolution", *(("scale",) if self.scale is not None else ())):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int | float | Fraction | np.integer | np.floating):
                raise ValueError(f"Evidence needs a number as {name}, got {name} = {told(value)}")
            if isinstance(value, np.integer | np.floating) and not isinstance(value, float):
                object.__setattr__(self, name, value.item())  # an unsigned one has no negative
        choice("Evidence", "relation", self.relation, get_args(Relation))
        choice("Evidence", "kind", self.kind, get_args(Kind))
        words("Evidence", "what", self.what)

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
    """The item that speaks for a claim: the first contradiction, else one that settles it, else the tightest bound.

    Of several a bound comes before an equality, and the tightest bound first.
    """
    for e in evidence:
        if e.verdict == "refuted":
            return e
    return min(evidence, key=lambda e: (e.verdict != "holds", e.relation == "=", e.tightness), default=None)
