"""Beyond the paper: c*(n, f), the least c of Definition C that any rule whatever can have with f of n Byzantine.

The rule may know n, f, ρ and who sent what, and may be random; the f Byzantine workers know all messages.

- *Known*: at f = 1 and at n = 2f + 1 it is the trimmed mean's c, which Theorem III's bound attains there (`exact.md`).
- *Messages that depend on each other*: the trimmed mean's c is the least at every n and f.
- *Between*, from below: rational distributions of the good messages, an attacker's random choices, and the
  exact error of the best rule against these and their mirror image (`game.py`, `below.md`).
- *Between*, from above: the trimmed mean's c, at n = 6 and f = 2 on the line a smaller one (`two_copies.md`). If
  the good messages have one distribution, averages of the middle messages need less, by a positive definite form in
  rationals (`copies.py`, `above.md`).
"""

from __future__ import annotations

from theory.beyond_least_c.above import (
    clipping_needs_more,
    different_laws_are_harder,
    identical_at_most,
    not_the_trimmed_mean,
)
from theory.beyond_least_c.below import identical_at_least, independent_at_least
from theory.beyond_least_c.exact import attained, dependent
from theory.beyond_least_c.two_copies import different_at_most
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_least_c",
    label="Beyond: least",
    title="The least c of any rule",
    printed=None,
    corrected=r"""
Of $n$ messages $f$ are Byzantine, $1 \le f < n/2$, $\delta = f/n$ and $g = n-f$. Let $c^*$ be the least $c$ of
Definition C that any rule can have; it may know $\rho$ and who sent what.

- At $f = 1$ and at $n = 2f+1$ it is the trimmed mean's

$$
c^* = \frac{g-1}{2g(1-2\delta)} .
$$

- If the good messages may depend on each other, so it is at every $n$ and $f$.
- For independent good messages and all other $n \le 9$ no rule has less than 0.7 times that. At $n = 6$, $f = 2$, on
  the line, the trimmed mean itself needs less: 1.067 at most, for $\frac98$.
- If they have one distribution, too, the least $c$ is known up to a factor of 1.3. At $n = 6$ it is smaller then.
""",
    says_corrected=r"No rule beats the trimmed mean's $c$ at $f = 1$, nor at $n = 2f+1$",
    for_you="No rule to come can improve on the trimmed mean by more than a factor of 1.41 in c, at up to 9 workers.",
    rests_on="Theorem III's bound as a polynomial, the posterior mean against rational distributions, and a positive "
    "definite form in rationals; missing: for independent messages of different distributions an upper side below the "
    "trimmed mean's c, but for n = 6 on the line",
    claims=(
        attained,
        dependent,
        independent_at_least,
        identical_at_least,
        identical_at_most,
        different_at_most,
        different_laws_are_harder,
        not_the_trimmed_mean,
        clipping_needs_more,
    ),
    proofs=("exact", "below", "above", "two_copies"),
    uses=("yin2018",),
)
