"""Beyond the paper: robust gradient descent where the workers' functions differ, and what no algorithm can do.

The honest functions are (G, B)-dissimilar: (1/g)Σ‖∇f_i − ∇f‖² ≤ G² + B²‖∇f‖² at every x (Allouah et al. 2023, arXiv
2309.13591). There is no noise.

- `descent.md`: gradient descent with a rule of κ, for κB² < 1; the trimmed mean attains its last term, and the median
  stands still at its own breakdown.
- `every_algorithm.md`: two cases with the same functions, one below the breakdown and one at it.
"""

from __future__ import annotations

from theory.beyond_heterogeneous_workers.descent import attained, descent, median_stops
from theory.beyond_heterogeneous_workers.every_algorithm import breakdown, half_at_random, no_algorithm
from theory.beyond_heterogeneous_workers.runs import in_runs
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_heterogeneous_workers",
    label="Beyond: heterogeneous",
    title="Workers whose functions differ",
    printed=None,
    corrected=r"""
Let $\frac1g\sum_\good\norm{\nabla f_i-\nabla f}^2 \le G^2+B^2\norm{\nabla f}^2$ at every $x$, $f$ be $L$-smooth with
$\Delta = f(x_0)-\inf f$, and $\delta = f/n \le \frac12$ the share of Byzantine workers. Steps
$x_t = x_{t-1}-\frac1L\Agg$ with an $(f,\kappa)$-robust rule, $\kappa B^2 < 1$, have

$$
\frac1T\sum_{t<T}\norm{\nabla f(x_t)}^2 \le \frac{2L\Delta/T+\kappa G^2}{1-\kappa B^2} .
$$

For the trimmed mean the last term is $\delta G^2/(1-(2+B^2)\delta)$, for $\delta < 1/(2+B^2)$.

- No algorithm returns a point of which less than this term is sure (or less than $2L\Delta$, if that is smaller),
  whatever it knows of the workers' functions. Where the trimmed mean is 0, the term is sure.
- For an average over rounds, or a random point, half of that is a lower bound.
- For $\delta \ge 1/(2+B^2)$, with $G = 0$, none is sure of less than $2L\Delta$, which $x_0$ has already.
- The median makes no step at $B^2 = (n+1-2f)/(n-1)$, $n$ odd.
""",
    says_corrected=r"Breakdown $\delta = 1/(2+B^2)$: the trimmed mean's, and every algorithm's",
    for_you="Where the workers' data differ, look at B² first: with δ ≥ 1/(2 + B²) no rule helps. The median may stand "
    "still at B = 1, with a single attacker.",
    rests_on="the descent lemma with a wrong gradient, the trimmed mean's κ (Definition C), and two cases with the "
    "same functions, in rationals; missing: for averages over rounds, and points drawn at random, the lower bound is "
    "half of the term",
    claims=(
        descent,
        attained,
        median_stops,
        no_algorithm,
        half_at_random,
        breakdown,
        in_runs,
    ),
    proofs=("descent", "every_algorithm"),
    uses=("allouah2023tight", "baruch2019", "xie2020", "yin2018"),
)
