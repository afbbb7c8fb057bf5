"""Remark 2: what memory has to do with identities.

Printed: whatever uses only the computations of the current round is "necessarily" permutation-invariant "since the
indices corresponding to the stochastic gradient are meaningless", and indices carry information only when gradients are
tracked over rounds. The reason is a hypothesis: meaningless to the algorithm they are if its step is a function of the
multiset.

Memoryless does not imply invariant: SGD along worker 1's gradient, or along a weighted mean Σ w_i g_i, remembers no
gradient and knows the workers. Nor does invariant imply memoryless: server momentum and centered clipping from the last
aggregate remember functions of multisets. The proof is in `memory.md`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from sims.aggregators import RFA, CenteredClipping, CoordinateMedian, Krum, Mean, TrimmedMean
from sims.checks.evidence import Evidence
from sims.checks.exact_algorithm import ExactAlgorithm, ExactSGD, Gradients
from sims.checks.permutation import tally
from sims.optimizers import SGD, ServerMomentum, WorkerMomentum
from theory.claim import Context, Control, Fault, Source, Statement, claim
from theory.definition_b_permutation_invariance.algorithms import Dictator
from theory.definition_b_permutation_invariance.statement import Algorithms, values
from theory.remark_2_memoryless.picture import escape_curves

CLIP = CenteredClipping(0.25)
RULES = {
    "mean": Mean(),
    "median": CoordinateMedian(),
    "TM(1)": TrimmedMean(1),
    "RFA": RFA(),
    "Krum(0)": Krum(0),
    "CC from 0": CLIP,
}
MEMORYLESS: Algorithms = {name: ExactSGD(rule, SGD(0.5), warm=False) for name, rule in RULES.items()}
REMEMBERING: Algorithms = {
    "server momentum with the median": ExactSGD(CoordinateMedian(), ServerMomentum(0.5, 0.5)),
    "SGD with warm CC": ExactSGD(CLIP, SGD(0.5)),
}
TRACKING: Algorithms = {
    "worker momentum with the median": ExactSGD(CoordinateMedian(), WorkerMomentum(0.5, 0.5)),
    "worker momentum with CC": ExactSGD(CLIP, WorkerMomentum(0.5, 0.5)),
}


@dataclass(frozen=True)
class Weighted(ExactAlgorithm):
    """SGD along a weighted mean, Σ w_i g_i with w_i proportional to i, as when workers hold unequal data."""

    def start(self) -> Fraction:
        """The first query point, x_0 = 0."""
        return Fraction(0)

    def query(self, state: Fraction) -> Fraction:
        """The iterate itself."""
        return state

    def submit(self, state: Fraction, gradients: Gradients) -> Fraction:
        """x − ½ Σ i·g_i / Σ i."""
        weights = range(1, len(gradients) + 1)
        return state - sum((w * g for w, g in zip(weights, gradients, strict=True)), Fraction(0)) / (2 * sum(weights))


WITH_FAVOURITES: Algorithms = {"worker 1 alone": Dictator(), "a weighted mean": Weighted()}


def invariant(ctx: Context, *, algorithms: Algorithms, covers: str | None = None) -> Iterable[Evidence]:
    """How many exchanges change the output, over all arrays of small integers; claimed: none."""
    for name, algorithm in algorithms.items():
        found = tally(algorithm, "output", values=values(ctx))
        what = f"{name}: exchanges that change the output, of {found.total}"
        if found.smallest:
            what += f"; smallest: {found.smallest}"
        yield Evidence(what, found.changed, "=", 0, "exact", covers=covers, at={"algorithm": name})


@claim(
    "An algorithm that uses only the computations of the current round is permutation invariant, whatever it makes of "
    "their indices.",
    part_of="printed",
    point=8,
    controls=(
        Control(
            "the published rules",
            "they are symmetric: the check must let them pass",
            {"algorithms": MEMORYLESS},
            expect="survives",
        ),
    ),
)
def memoryless(ctx: Context, *, algorithms: Algorithms = WITH_FAVOURITES) -> Iterable[Evidence]:
    """The exchanges that two memoryless algorithms notice which treat the workers differently; claimed: none."""
    yield from invariant(ctx, algorithms=algorithms)


@claim(
    "Every memoryless algorithm whose step is a function of the multiset of gradients is permutation invariant.",
    part_of="corrected",
    point=8,
    controls=(
        Control("worker 1 alone", "its step is no such function", {"algorithms": {"worker 1 alone": Dictator()}}),
        Control("a weighted mean", "nor is its step one", {"algorithms": {"a weighted mean": Weighted()}}),
    ),
)
def memoryless_symmetric(ctx: Context, *, algorithms: Algorithms = MEMORYLESS) -> Iterable[Evidence]:
    """The exchanges that SGD with symmetric rules notices; claimed: none."""
    link = "x_{t+1} is a function of x_t and of the row's multiset: induction"
    yield from invariant(ctx, algorithms=algorithms, covers=link)


@claim(
    "The converse, which is not printed: every algorithm with a memory notices who sent what.",
    point=8,
    controls=(Control("worker momentum", "it tracks each worker", {"algorithms": TRACKING}, expect="survives"),),
)
def memory_notices(ctx: Context, *, algorithms: Algorithms = REMEMBERING) -> Iterable[Evidence]:
    """How many exchanges change the output, over all arrays of small integers; claimed: at least one."""
    for name, algorithm in algorithms.items():
        found = tally(algorithm, "output", values=values(ctx))
        what = f"{name}: exchanges that change the output, of {found.total}"
        if found.smallest:
            what += f"; smallest: {found.smallest}"
        yield Evidence(what, found.changed, ">=", 1, "exact", at={"algorithm": name})


@claim(
    "Server momentum and warm-started centered clipping have a memory and are permutation invariant.",
    part_of="corrected",
    point=8,
    controls=(Control("worker momentum", "it tracks each worker", {"algorithms": TRACKING}),),
)
def memory_of_multisets(ctx: Context, *, algorithms: Algorithms = REMEMBERING) -> Iterable[Evidence]:
    """The exchanges that server momentum and warm centered clipping notice; claimed: none."""
    yield from invariant(ctx, algorithms=algorithms, covers="what they remember are functions of the rows' multisets")


STATEMENT = Statement(
    stem="remark_2_memoryless",
    label="Remark 2",
    title="Memoryless methods and permutation invariance",
    printed="An algorithm that uses only the computations of the current round is necessarily permutation "
    "invariant, since the indices of the gradients are meaningless; only when gradients are tracked "
    "over several rounds do the indices carry information.",
    corrected="An algorithm whose step is a function of the multiset of the round's gradients is permutation "
    "invariant. One that follows worker 1 alone is memoryless and is not invariant. Server momentum and "
    "warm-started centered clipping have a memory and are invariant.",
    says="Memoryless algorithms are permutation invariant",
    says_corrected="A step that is a function of the round's multiset is invariant",
    for_you="To escape Theorem II an algorithm must remember each worker. Server momentum and warm-started clipping "
    "have a memory, but are still invariant.",
    rests_on="induction over the rounds (pen and paper); exhaustive search on small arrays in rationals",
    source=Source(
        "main",
        "Section 4",
        "Any algorithm which is ‘memoryless’ i.e. uses only the computations resulting from current round "
        "is necessarily permutation-invariant since the indices corresponding to the stochastic gradient "
        "are meaningless. It is only when these stochastic gradients are tracked over multiple rounds (i.e. "
        "we use memory) do the indices carry information.",
        "Memoryless is read as: the step depends on the present gradients alone.",
    ),
    fault=Fault(
        "wording",
        "That the indices are meaningless does not follow from having no memory: it is a hypothesis of its own. A "
        "weighted mean is memoryless and not invariant.",
    ),
    claims=(memoryless, memoryless_symmetric, memory_notices, memory_of_multisets),
    data=escape_curves,
    proofs=("memory",),
)
