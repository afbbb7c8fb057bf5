"""Definition B: algorithms that do not notice who sent what.

*As printed* an algorithm is a function of the array of submitted gradients, and permutation invariant if its output
does not change under any permutations of the rounds' gradients. Exchanges of two neighbours in one round decide, so
that on arrays of small integers a search is exhaustive. *What is missing*: an output that is invariant may leave
identities in the query points. The proof is in `invariance.md`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sims.aggregators import RFA, Bulyan, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactAlgorithm, ExactSGD
from sims.checks.permutation import SIZES, VALUES, Part, search, tally
from sims.engine.streams import Streams
from sims.optimizers import SGD, ServerMomentum, WorkerMomentum
from theory.claim import Context, Control, Source, Statement, claim
from theory.definition_b_permutation_invariance.algorithms import Dictator, IndexKrum, Leaking

Algorithms = Mapping[str, ExactAlgorithm]
STEP, SERVER, WORKER = SGD(0.5), ServerMomentum(0.5, 0.5), WorkerMomentum(0.5, 0.5)
CLIP = CenteredClipping(0.25)
LEAKING = Leaking(3)

SYMMETRIC: Algorithms = {
    "SGD with the mean": ExactSGD(Mean(), STEP),
    "SGD with the median": ExactSGD(CoordinateMedian(), STEP),
    "SGD with TM(1)": ExactSGD(TrimmedMean(1), STEP),
    "SGD with RFA": ExactSGD(RFA(), STEP),
    "SGD with Krum(0)": ExactSGD(Krum(0), STEP),
    "SGD with CC from 0": ExactSGD(CLIP, STEP, warm=False),
    "SGD with warm CC": ExactSGD(CLIP, STEP),
    "server momentum with the median": ExactSGD(CoordinateMedian(), SERVER),
    "server momentum with warm CC": ExactSGD(CLIP, SERVER),
    "worker momentum with the mean": ExactSGD(Mean(), WORKER),
}
BULYAN: Algorithms = {"SGD with Bulyan(1)": ExactSGD(Bulyan(1), STEP)}  # which needs seven workers
PAIRING: Algorithms = {
    "worker momentum with warm CC": ExactSGD(CLIP, WORKER),
    "worker momentum with CC from 0": ExactSGD(CLIP, WORKER, warm=False),
    "worker momentum with the median": ExactSGD(CoordinateMedian(), WORKER),
    "worker momentum with TM(1)": ExactSGD(TrimmedMean(1), WORKER),
    "worker momentum with Krum(0)": ExactSGD(Krum(0), WORKER),
}


def values(ctx: Context) -> tuple[int, ...]:
    """The gradients that arrays are made of: −1, 0, 1, or 0 and 1 where time is short."""
    return (0, 1) if ctx.budget == "quick" else VALUES


def nothing_changes(
    ctx: Context,
    *,
    algorithms: Algorithms,
    parts: tuple[Part, ...] = ("both",),
    sizes: Iterable[tuple[int, int]] = SIZES,
    given: tuple[int, ...] | None = None,
    covers: str | None = None,
) -> Iterable[Evidence]:
    """How many exchanges change the query points or the output, over all arrays of small integers; claimed: none."""
    for name, algorithm in algorithms.items():
        for part in parts:
            found = tally(algorithm, part, tuple(sizes), given or values(ctx))
            words = {"both": "queries and output"}.get(part, part)
            what = f"{words} of {name}: exchanges that change them, of {found.total}"
            if found.smallest:
                what += f"; smallest: {found.smallest}"
            yield Evidence(what, found.changed, "=", 0, "exact", covers=covers, at={"algorithm": name, "part": part})


def something_changes(
    ctx: Context,
    *,
    algorithms: Algorithms,
    covers: str,
    part: Part = "output",
    sizes: Iterable[tuple[int, int]] = SIZES,
    given: tuple[int, ...] | None = None,
) -> Iterable[Evidence]:
    """How many exchanges change the output (or the query points), with the smallest; claimed: at least one."""
    for name, algorithm in algorithms.items():
        found = tally(algorithm, part, tuple(sizes), given or values(ctx))
        yield Evidence(
            f"{part} of {name}, {found.changed} of {found.total} exchanges; smallest: {found.smallest}",
            found.changed,
            ">=",
            1,
            "exact",
            covers=covers,
            at={"algorithm": name, "part": part},
        )


@claim(
    "The output may be invariant while the query points depend on who sent what.",
    part_of="corrected",
    point=25,
    controls=(
        Control(
            "the sums of sorted rows",
            "without each worker's own sum the query points do not know the workers",
            {"algorithm": Leaking(3, by_worker=False)},
        ),
        Control("worker 1 alone", "then the output, too, depends on who sent what", {"algorithm": Dictator()}),
    ),
)
def queries_may_know(ctx: Context, *, algorithm: ExactAlgorithm = LEAKING) -> Iterable[Evidence]:
    """Two workers, three rounds: the exchanges that change the output, claimed 0, and the query points, at least 1."""
    leaking, link = (
        {"the algorithm that lets workers vote": algorithm},
        "the output is the median of the last row, cut off",
    )
    yield from nothing_changes(ctx, algorithms=leaking, parts=("output",), sizes=((2, 3),), given=VALUES, covers=link)
    link = "one exchange that shows is enough"
    yield from something_changes(ctx, algorithms=leaking, part="queries", sizes=((2, 3),), given=VALUES, covers=link)


@claim(
    "SGD and server momentum with a symmetric rule (the median, TM, RFA, Krum, Bulyan with ties broken by value, CC "
    "from 0 or from its last aggregate) and worker momentum with the mean are invariant in their query points and "
    "output.",
    part_of=("printed", "corrected"),
    controls=(
        Control(
            "worker momentum with the median",
            "old rows are paired with new ones",
            {"algorithms": {"worker momentum with the median": ExactSGD(CoordinateMedian(), WORKER)}},
        ),
        Control(
            "worker 1 alone",
            "its step is worker 1's gradient",
            {"algorithms": {"SGD along worker 1's gradient": Dictator()}},
        ),
        Control(
            "Krum with ties broken by index",
            "of two messages of one score the first worker's wins",
            {"algorithms": {"SGD with Krum, ties by index": IndexKrum()}},
        ),
    ),
)
def symmetric(ctx: Context, *, algorithms: Algorithms = SYMMETRIC) -> Iterable[Evidence]:
    """The printed list, and more; in one dimension the geometric median is the median."""
    link = "by induction query points and output are functions of the rows' multisets (invariance.md)"
    yield from nothing_changes(ctx, algorithms=algorithms, covers=link)
    yield from nothing_changes(ctx, algorithms=BULYAN, sizes=((7, 1), (7, 2)), given=(0, 1), covers=link)


@claim(
    "Nor does a random search with more workers and rounds find an exchange that shows.",
    controls=(
        Control(
            "worker momentum with warm CC",
            "clipping is not affine",
            {"algorithms": {"worker momentum with warm CC": ExactSGD(CLIP, WORKER)}},
        ),
    ),
)
def symmetric_at_random(ctx: Context, *, algorithms: Algorithms = SYMMETRIC) -> Iterable[Evidence]:
    """Counterexamples found among random arrays of 6 workers and 4 rounds, shrunk; claimed: none."""
    for name, algorithm in algorithms.items():
        rng = Streams(*ctx.stream(name)).generator(0)
        found, tried = search(algorithm, "output", rng, n=6, t=4, arrays=ctx.scaled(8))
        what = f"counterexamples to {name} among {tried} random exchanges, n = 6, t = 4"
        what += f"; shrunk: {found}" if found else ""
        yield Evidence(what, int(found is not None), "=", 0, "searched", at={"algorithm": name, "n": 6, "T": 4})


@claim(
    "Worker momentum with a rule of more than the mean is not invariant: with centered clipping, the median, TM or "
    "Krum an exchange shows.",
    part_of="corrected",
    loose="one that shows is enough",
    controls=(
        Control(
            "the mean",
            "it is affine and forgets the pairing",
            {"algorithms": {"worker momentum with the mean": ExactSGD(Mean(), WORKER)}},
        ),
        Control(
            "momentum on the server",
            "it averages aggregates",
            {"algorithms": {"server momentum with warm CC": ExactSGD(CLIP, SERVER)}},
        ),
        Control("one round", "at t = 1 there is nothing to pair", {"sizes": ((2, 1), (3, 1), (4, 1))}),
    ),
)
def worker_momentum(
    ctx: Context, *, algorithms: Algorithms = PAIRING, sizes: Iterable[tuple[int, int]] = SIZES
) -> Iterable[Evidence]:
    """Exchanges that change the output of worker momentum, two rounds or more."""
    link = "one exchange that shows is enough; an old row's moves any c between two inputs of the rule, which shows "
    link += "unless the rule is one of their mean"
    yield from something_changes(ctx, algorithms=algorithms, sizes=sizes, covers=link)


STATEMENT = Statement(
    stem="definition_b_permutation_invariance",
    label="Definition B",
    title="Permutation-invariant algorithms",
    printed=r"The output of an algorithm is a function of the gradients of the $t$ rounds; it is permutation "
    r"invariant if the output remains unchanged under any permutations $\pi_1, \dots, \pi_t$ of the rounds' "
    "gradients. After Theorem II: CM, TM, Krum, Bulyan, RFA and the geometric median satisfy it.",
    corrected=r"""
An invariant output lets the query points know the workers. So ask it of both: every query point and the output are
functions of the rounds' multisets of gradients (and of the server's own randomness).

- This holds for SGD and server momentum with any symmetric rule, centered clipping from the last aggregate included.
- With worker momentum ($0 < \beta < 1$), from two rounds on and for a rule without a state, it holds if and only if the
  rule depends on the mean of its inputs alone.
""",
    says="Invariant: the output ignores any reordering of a round's gradients",
    says_corrected="SGD and server momentum with symmetric rules are invariant",
    for_you="When you call an algorithm permutation invariant, check where it asks for gradients, not only what it "
    "answers.",
    rests_on="induction over the rounds and one exchange of two workers, by pen and paper; exhaustive search on small "
    "integer arrays, in rationals",
    source=Source(
        "main",
        "Section 4; the list of rules after Theorem II",
        "The output of any optimization algorithm A LG is a function of these gradients. A permutation-invariant "
        "algorithm is one which for any set of permutations over t rounds {π1 , . . . , πt }, […] remains unchanged if "
        "we permute the gradients. […] Nearly all currently popular aggregation rules, including coordinate-wise "
        "median, trimmed mean (Yin et al., 2018), Krum (Blanchard et al., 2017), Bulyan (Mhamdi et al., 2018), RFA, "
        "geometric median (Ghosh et al., 2019), etc. are permutation invariant and satisfy Definition B.",
        "The arrays of gradients are torn, but legible. Krum and Bulyan need ties broken by value.",
    ),
    claims=(queries_may_know, symmetric, symmetric_at_random, worker_momentum),
    proofs=("invariance",),
    uses=(
        "blanchard2017",
        "mhamdi2018",
        "yin2018",
        "pillutla2022",
    ),
)
