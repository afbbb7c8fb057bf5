"""Beyond the paper: a lower bound for every algorithm when the Byzantine workers are the same for ever.

Section 6 says of the rate's second term, which does not fall with n, that it is "unfortunately not possible to
improve". Theorem II does not show this: it binds only who forgets who sent what. Here memory is allowed.

- `every_algorithm.md`: each Byzantine worker mirrors one honest worker in all rounds. As long as at most f honest
  workers ever send a rare gradient, the whole transcript has one distribution on two problems.
- `constants.md`: the best rate of rare gradients, up to a factor of e; the limit of many workers.
- `reached.md`: averages over all rounds with the trimmed mean, against every attacker.
- `near_half.md`: near δ = ½ medians of each worker's own history are better than averages.
- `one_change.md`: what one change of identities does to worker momentum.
"""

from __future__ import annotations

from theory.beyond_fixed_identities.constants import best_within_e, convex, every_size, many_workers
from theory.beyond_fixed_identities.near_half import near_half
from theory.beyond_fixed_identities.one_change import one_change, told_all
from theory.beyond_fixed_identities.picture import picture
from theory.beyond_fixed_identities.reached import at_every_size, averages, close
from theory.beyond_fixed_identities.transcripts import least_of_all_algorithms, transcripts, with_memory
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_fixed_identities",
    label="Beyond: fixed",
    title="A bound for every algorithm",
    printed=None,
    corrected=r"""
The Byzantine workers are the same in all $T$ rounds, $g = n-f$. Every algorithm, with memory, adaptive or randomised,
errs on one of Theorem II's two problems, for every $q$, by

$$
\P(\operatorname{Bin}(g, r) \le f)\,\frac{q\sigma^2}{2\mu(1-q)}, \qquad r = 1-(1-q)^T .
$$

- If $n > 2f$, that is at least $m\sigma^2/(2e\mu T)$ for one $q$, $m = \sum_{i \le f}\frac1{g-i} > \delta$, and for no
  $q$ more than $m\sigma^2/(2\mu T)$ as $T \to \infty$. On convex problems with optima within $D$ it is
  $0.214\,D\sigma\sqrt{m/T}$, as soon as that is less than $LD^2/4$.
- The trimmed mean of averages errs by at most $2(1+\kappa)m\frac{\sigma^2}{2\mu T}$, $\kappa = \frac f{n-2f}$. As
  $n \to \infty$ it reaches $\kappa\frac{\sigma^2}{2\mu T}$, and no algorithm less than
  $\log(1+\kappa)\frac{\sigma^2}{2\mu T}$. That is the order that medians of each worker's history reach, in one
  dimension.
- After one change of identities worker momentum with the trimmed mean told $f$ can be moved as far as one likes.
""",
    says_corrected=r"Every algorithm errs by $0.183\,\frac{\sigma^2}{\mu T}(\delta + \frac1n)$ or more",
    for_you="Memory helps by the factor T and no more: δσ²/(μT) stays, however many workers there are. Register the "
    "workers, and after a change start their momenta anew.",
    rests_on="a permutation that exchanges the mirrored workers (pen and paper, "
    "theory/beyond_fixed_identities/every_algorithm.md), exact distributions of transcripts for n ≤ 5, and "
    "Jensen's inequality on a concave logarithm (constants.md); missing: Theorem VI's squared gradients on problems "
    "that are not convex",
    claims=(
        transcripts,
        least_of_all_algorithms,
        with_memory,
        every_size,
        convex,
        best_within_e,
        many_workers,
        averages,
        at_every_size,
        close,
        near_half,
        one_change,
        told_all,
    ),
    data=picture,
    proofs=("every_algorithm", "constants", "reached", "near_half", "one_change"),
    uses=("alistarh2018", "dorfman2024", "yin2018", "allouah2023mixing", "chernoff1952"),
)
