"""Remark 4: what a round costs, and what of it is a sum over the workers.

Every rule runs on arrays that count their element operations, at a fixed share f = n/5; the count is a polynomial,
whose degree is read off its differences (`counting.md`). Bulyan as implemented here is cubic in n; with scores that are
updated instead of recomputed it is quadratic up to a logarithm (`incremental_bulyan.md`). What of a round is a sum over
the workers, and what secure aggregation then asks of them: `worker_sums.md`.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from fractions import Fraction

import numpy as np

from sims.aggregators import (
    RFA,
    Bulyan,
    CenteredClipping,
    CoordinateMedian,
    GeometricMedian,
    Krum,
    Mean,
    MultiKrum,
    Rule,
    TrimmedMean,
)
from sims.backend import to_numpy
from sims.checks.counting import Tally, count, degree
from sims.checks.evidence import Evidence
from theory.claim import Context, Control, Source, Statement, claim
from theory.remark_4_implementation.identities import identities
from theory.remark_4_implementation.incremental_bulyan import incremental_bulyan
from theory.remark_4_implementation.worker_sums import (
    any_order,
    others_are_no_sums,
    rfa_from_sums,
    secure_step_unbounded,
    step_is_a_sum,
)

SIZES = (15, 25, 35, 45, 55, 65)  # n, with f = n/5; Bulyan needs n ≥ 4f + 3
WIDTHS = (2, 3, 4, 5, 6)  # d
Maker = Callable[[int], Rule]  # the rule for a declared f
LINEAR: Mapping[str, Maker] = {  # those that are printed
    "CC, one step": lambda f: CenteredClipping(1.0),
    "coordinate-wise median": lambda f: CoordinateMedian(),
}
ALSO_LINEAR: Mapping[str, Maker] = {
    "mean": lambda f: Mean(),
    "RFA, one step": lambda f: RFA(steps=1),
    "trimmed mean": TrimmedMean,
}
NOT_LINEAR: tuple[Control, ...] = (
    Control("Krum", "it measures all distances", {"rules": {"Krum": Krum}}),
    Control(
        "the geometric median",
        "it tests all messages",
        {"rules": {"GM": lambda f: GeometricMedian(max_steps=1)}},
    ),
)
NOT_QUADRATIC = (Control("CC", "it is linear", {"rules": {"CC": lambda f: CenteredClipping(1.0)}}),)
BULYAN_NEEDS = "distances once (3n²d/2), one sort per worker, windows that move at most 4n places, picks among n"


def whole(n: int, d: int) -> np.ndarray:
    """n distinct whole-numbered messages of d coordinates, the same for the same n and d."""
    return np.random.Generator(np.random.Philox(key=[n, d])).permutation(64 * n * d)[: n * d].reshape(n, d) * 1.0


def costs(make: Maker, sizes: Sequence[tuple[int, int]]) -> list[Tally]:
    """What the rule costs at each (n, d)."""
    return [count(make(n // 5), whole(n, d)) for n, d in sizes]


def grows(ctx: Context, *, rules: Mapping[str, Maker], power: int) -> Iterable[Evidence]:
    """The degrees of a rule's element operations as polynomials in n and in d; claimed: `power` and 1."""
    link = "the count is a polynomial: array operations whose sizes do not depend on the values"
    for name, make in rules.items():
        by_n = [c.operations for c in costs(make, [(n, 4) for n in SIZES])]
        what = f"degree in n of the operations of {name} ({by_n[0]} at n = 15, {by_n[-1]} at 65, d = 4)"
        yield Evidence(what, degree(by_n), "=", power, "exact", covers=link, at={"rule": name, "d": 4})
        by_d = [c.operations for c in costs(make, [(15, d) for d in WIDTHS])]
        what = f"degree in d of the operations of {name}"
        yield Evidence(what, degree(by_d), "=", 1, "exact", covers=link, at={"rule": name, "n": 15})


@claim(
    "The operations of CC and of the coordinate-wise median (but for its comparisons) are linear in n and in d.",
    part_of=("printed", "corrected"),
    controls=NOT_LINEAR,
)
def linear(ctx: Context, *, rules: Mapping[str, Maker] = LINEAR) -> Iterable[Evidence]:
    """The degrees in n and d of the operations of the two printed rules; claimed: 1."""
    yield from grows(ctx, rules=rules, power=1)


@claim(
    "The operations of the mean, of a step of RFA and of the trimmed mean, too, are linear in n and in d.",
    part_of="corrected",
    controls=NOT_LINEAR,
)
def also_linear(ctx: Context, *, rules: Mapping[str, Maker] = ALSO_LINEAR) -> Iterable[Evidence]:
    """The degrees in n and d of the operations of three more rules; claimed: 1."""
    yield from grows(ctx, rules=rules, power=1)


@claim(
    "CC compares nothing, the median and the trimmed mean sort once: n⌈log₂ n⌉ in each coordinate.",
    part_of="corrected",
    controls=(Control("the median without sorting", "it sorts", {"medians": 0}),),
)
def sorts(ctx: Context, *, medians: int = 1, clipping: int = 0) -> Iterable[Evidence]:
    """Comparisons in sorts over d·n⌈log₂ n⌉, at every size; claimed: the number of sorts of the n messages."""
    rules: Mapping[str, tuple[Maker, int]] = {
        "CC": (lambda f: CenteredClipping(1.0), clipping),
        "coordinate-wise median": (lambda f: CoordinateMedian(), medians),
        "trimmed mean": (TrimmedMean, medians),
    }
    for name, (make, claimed) in rules.items():
        found = {Fraction(c.comparisons, 4 * n * math.ceil(math.log2(n))) for n in SIZES for c in costs(make, [(n, 4)])}
        for ratio in sorted(found):
            link, what = "sorts have n⌈log₂ n⌉ comparisons in each of d columns", f"comparisons of {name}/(d·n⌈log₂ n⌉)"
            yield Evidence(what, ratio, "=", claimed, "exact", covers=link, at={"rule": name, "d": 4})


@claim(
    "The operations of Krum are quadratic in n, linear in d.",
    part_of=("printed", "corrected"),
    controls=NOT_QUADRATIC,
)
def krum_quadratic(ctx: Context, *, rules: Mapping[str, Maker] = {"Krum": Krum}) -> Iterable[Evidence]:
    """The degrees in n and d of Krum's operations; claimed: 2 and 1."""
    yield from grows(ctx, rules=rules, power=2)


@claim(
    "The operations of Multi-Krum, too, are quadratic in n, linear in d.", part_of="corrected", controls=NOT_QUADRATIC
)
def multi_krum_quadratic(ctx: Context, *, rules: Mapping[str, Maker] = {"Multi-Krum": MultiKrum}) -> Iterable[Evidence]:
    """The degrees in n and d of Multi-Krum's operations; claimed: 2 and 1."""
    yield from grows(ctx, rules=rules, power=2)


@claim(
    "Bulyan as implemented here, with scores computed anew for each pick, is cubic in n, linear in d.",
    controls=(Control("Krum", "one pick is quadratic", {"rules": {"Krum": Krum}}),),
)
def bulyan_as_here(ctx: Context, *, rules: Mapping[str, Maker] = {"Bulyan": Bulyan}) -> Iterable[Evidence]:
    """The degrees in n and d of this suite's Bulyan; claimed: 3 and 1."""
    yield from grows(ctx, rules=rules, power=3)


@claim(
    "Bulyan is quadratic up to a logarithm: it can be had for at most 6n²(d + ⌈log₂ n⌉) operations.",
    part_of=("printed", "corrected"),
    controls=(
        Control("scores computed anew", "then it is cubic", {"price": lambda x, f: count(Bulyan(f), x).total}),
        Control("Multi-Krum instead", "another rule", {"output": lambda x, f: to_numpy(MultiKrum(f).aggregate(x))}),
    ),
)
def bulyan_quadratic(
    ctx: Context,
    *,
    price: Callable[[np.ndarray, int], int] = lambda x, f: incremental_bulyan(x, f)[1],
    output: Callable[[np.ndarray, int], np.ndarray] = lambda x, f: incremental_bulyan(x, f)[0],
) -> Iterable[Evidence]:
    """The price of Bulyan over n²(d + ⌈log₂ n⌉) and its distance from the rule; claimed: at most 6, and none."""
    worst, apart = Fraction(0), 0.0
    for n, d in itertools.product(SIZES, (1, 4, 16)):
        x, f = whole(n, d), n // 5
        worst = max(worst, Fraction(price(x, f), n**2 * (d + math.ceil(math.log2(n)))))
        expected = to_numpy(Bulyan(f).aggregate(ctx.asarray(x)))
        apart = max(apart, float(np.max(np.abs(output(x, f) - expected)) / np.max(x)))
    yield Evidence("largest price/(n²(d + ⌈log₂ n⌉))", worst, "<=", 6, "exact", covers=BULYAN_NEEDS)
    yield Evidence("largest difference from Bulyan, relative", apart, "=", 0, "exact", error=1e-13, scale=1.0)


@claim(
    "With CC, as with every rule, a round sends n messages of d numbers up and n down: O(n).",
    part_of=("printed", "corrected"),
    controls=(Control("everyone to everyone", "n(n − 1) messages", {"everyone_to_everyone": True}),),
)
def communication(ctx: Context, *, everyone_to_everyone: bool = False) -> Iterable[Evidence]:
    """The degree in n of the numbers sent in a round, up and down, with each rule; claimed: 1."""
    makers: Mapping[str, Maker] = {**LINEAR, **ALSO_LINEAR, "Krum": Krum, "Multi-Krum": MultiKrum, "Bulyan": Bulyan}
    for name, make in makers.items():
        sent = []
        for n in SIZES:
            x = whole(n, 4)
            y = to_numpy(make(n // 5).aggregate(ctx.asarray(x)))
            sent.append(x.size * (n - 1) if everyone_to_everyone else x.size + n * y.size)
        link = "the server receives the n × d messages, no rule asks for more, and returns d numbers to each worker"
        what = f"degree in n of the numbers sent with {name}"
        yield Evidence(what, degree(sent), "=", 1, "exact", covers=link, at={"rule": name, "d": 4})


STATEMENT = Statement(
    stem="remark_4_implementation",
    label="Remark 4",
    title="Cost, asynchrony and secure aggregation",
    printed="Centered clipping takes $O(n)$ computation and communication per step, similar to the "
    "coordinate-wise median; Krum and Bulyan take $O(n^2)$ computation. One step can be implemented in an "
    "asynchronous manner and is compatible with secure aggregation.",
    corrected=r"""
The number of operations grows with $n$ as follows.

- Centered clipping, the mean and a step of RFA are linear.
- The median and the trimmed mean are linear but for one sort, $n\ceil{\log_2 n}$ comparisons in each coordinate.
- Krum and Multi-Krum are quadratic.
- Bulyan can be had for $6n^2(d+\ceil{\log_2 n})$.

Given $v$, one clipping step is a sum of terms of one worker each, in any order. Of the other rules only the mean is
such a sum; a step of RFA is a quotient of two. Behind secure aggregation the workers must clip: one that does not moves
$v$ as far as it likes.
""",
    says="CC costs $O(n)$, Krum and Bulyan $O(n^2)$; CC fits secure aggregation",
    says_corrected=r"CC linear, Krum quadratic, Bulyan $\le 6n^2(d+\log n)$ operations",
    for_you="With secure aggregation the workers must clip, and must be held to it. The server sees the sum alone and "
    "cannot clip, and one unclipped message moves v without bound.",
    rests_on="operation counts that are polynomials in n and d (exact), mixed differences in rationals; that a "
    "count is a polynomial is by reading the code",
    source=Source(
        "main",
        "Section 5.2",
        "The centered clipping update is extremely simple to implement requiring O(n) computation and "
        "communication per step similar to coordinate-wise median. This is unlike more complicated "
        "mechanisms such as Krum or Bulyan which require O(n2 ) computation and are hence less scalable. "
        "[…] This means that the update can be implemented in an asynchronous manner (Chen et al., 2016), "
        "and is compatible with secure aggregation for federated learning (Bonawitz et al., 2017).",
        "'O(n²)' is read up to a logarithm, 'compatible' as: a sum of what each worker can compute.",
    ),
    claims=(
        linear,
        also_linear,
        sorts,
        krum_quadratic,
        multi_krum_quadratic,
        bulyan_as_here,
        bulyan_quadratic,
        communication,
        step_is_a_sum,
        others_are_no_sums,
        any_order,
        rfa_from_sums,
        secure_step_unbounded,
        identities,
    ),
    proofs=("counting", "incremental_bulyan", "worker_sums"),
    uses=(
        "bonawitz2017",
        "blanchard2017",
        "mhamdi2018",
        "yin2018",
        "pillutla2022",
    ),
)
