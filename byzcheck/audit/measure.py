"""All measurements of a rule, one after the other, whatever it does: each within its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from byzcheck.audit import answers, bias, breakdown, cost, damaged, invariance, lower_bound
from byzcheck.audit.limit import TookTooLong, within
from byzcheck.audit.line import How, Line
from sims.aggregators import Rule, as_rule
from sims.aggregators.rule import required
from sims.backend import Array
from sims.checked import real, whole
from sims.owned import as_always, told

Measurement = Callable[[Rule, int, int, int, Array | None], tuple[Line, ...]]  # (rule, n, f, seed, like)
MEASUREMENTS: Mapping[str, tuple[Measurement, How]] = {
    "permutation invariance": (invariance.lines, "searched"),
    "lower bound": (lower_bound.lines, "sampled"),
    "breakdown point": (breakdown.lines, "searched"),
    "bias": (bias.lines, "sampled"),
    "damaged messages": (damaged.lines, "searched"),
    "cost": (cost.lines, "counted"),
}
SECONDS = 30.0  # for one measurement


def measured(
    rule: Rule | Callable[[Any], Any],
    n: int,
    f: int,
    seed: int = 0,
    like: Array | None = None,
    seconds: float = SECONDS,
    begins: Callable[[str], object] = lambda name: None,
) -> Iterator[Line]:
    """The lines of a rule with n workers of which f are Byzantine, on messages like the array `like` (NumPy's float64).

    First whether it answers at all; if not, that is the only line. A measurement that raises, or takes longer than
    `seconds`, is a line that says so; nothing more is measured of a rule that cannot be stopped. `begins` is called
    with the name of each measurement. The same seed gives the same lines, but for the clock's. Raises `ValueError`
    unless 0 ≤ f < n/2 and the rule is defined for n.

    >>> from sims.aggregators import Mean
    >>> next(measured(Mean(), 5, 1)).says
    'answers 5 ordinary float64 messages of 3 numbers with an aggregate of that kind'
    """
    rule, n, seed = as_rule(rule), whole("an audit", "n", n, least=1), whole("an audit", "seed", seed, least=0)
    f, seconds = whole("an audit", "f", f, least=0), real("an audit", "seconds", seconds, above=0)
    if not 2 * f < n:
        raise ValueError(f"an audit needs 0 ≤ f < n/2, got n = {n}, f = {f}")
    required(rule, n)
    begins("answers")
    with as_always():
        found = answers.lines(rule, n, f, seed, like, min(seconds, answers.SECONDS))
    yield from found
    if found[0].good is False and "converted" not in found[0].says:
        return
    for name, (measure, how) in MEASUREMENTS.items():
        begins(name)
        try:
            with as_always():
                lines = within(seconds, lambda measure=measure: measure(rule, n, f, seed, like))
        except TookTooLong as late:
            yield Line(name, f"not measured: {late}", how, "" if late.stopped else "nothing more was measured")
            if not late.stopped:
                return
            continue
        except (KeyboardInterrupt, MemoryError):
            raise
        except BaseException as error:  # an exit, too, is something that a rule does instead of answering
            yield Line(name, f"not measured: the rule raised {told(error)}", how, "", False)
            continue
        yield from lines
