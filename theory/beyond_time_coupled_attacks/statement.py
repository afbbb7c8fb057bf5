"""Beyond the paper: attacks that are coupled over time, against centered clipping with worker momentum.

The paper's own attacks look at one round. An attacker who remembers the server's last aggregate v_{t−1}, as every
worker can, sends v_{t−1} + τu: clipping, which is centred there, passes it on whole, and f of them move the aggregate
by δτ along u, in every round (relocation; `sims.attacks.Relocation`). All that is proved is of the linear loop, which
CC is as long as no honest message is clipped.

- `response.md`: a sequence of pushes moves x by at most δτ·Σ|h_k|, h the response to one push. With α = 8Lη, Theorem
  VI's, h has one sign, and nothing is stronger than pushing in one direction for ever.
- `ringing.md`: with α < 4Lη h oscillates, and who pushes at the same frequency gets up to (4/π)Lη/α times as far.
- `echo.md`: for Lη > (1 − βδ)/(βδ) it suffices to repeat v_{t−1}.
- `rates.md`: with τ² = O(α) Theorem VI's rate is kept; with one τ for all α the error has a lower bound. What runs of
  CC that clips honest messages add to this.
- `far_away.md`: where rules come to rest under attackers who stay on one side.
"""

from __future__ import annotations

from theory.beyond_time_coupled_attacks.clipped import within_the_bound
from theory.beyond_time_coupled_attacks.identities import identities
from theory.beyond_time_coupled_attacks.linear_loop import (
    echo,
    heavier_momentum,
    one_direction,
    power_of_sequences,
    ringing,
)
from theory.beyond_time_coupled_attacks.picture import picture
from theory.beyond_time_coupled_attacks.rates import (
    exponents,
    near_the_best,
    no_speed_up,
    rate_kept,
    what_one_radius_leaves,
)
from theory.beyond_time_coupled_attacks.runs import rate_in_runs, search_at_eight, search_when_ringing, stronger
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_time_coupled_attacks",
    label="Beyond: time-coupled",
    title="Attacks coupled over time, CC",
    printed=None,
    corrected=r"""
One clipping step, worker momentum, $f = \frac12Lx^2$, as long as no honest message is clipped.

- No sequence of attacks moves $x_T$ by more than $\delta\tau\sum_{k<T}\abs{h_k}$, $h$ the loop's response to a push,
  and one does.
- With $\alpha = 8L\eta \le \frac45$ and $\delta \le \frac12$, $h$ has one sign, so that nothing is stronger than
  pushing in one direction.
- For $L\eta > (1-\beta\delta)/(\beta\delta)$ ($\beta \ge 0.9$, $\delta \ge 0.03$) repeating the last aggregate makes
  $x$ diverge.
""",
    says_corrected=r"No attack sequence moves $x_T$ by more than $\delta\tau\sum\abs{h_k}$; one does",
    for_you="Scale τ with √α and keep α near 8Lη: more momentum than that helps attackers "
    "who push at the frequency of its oscillation.",
    rests_on="the response h of the linear loop (pen and paper, theory/beyond_time_coupled_attacks/response.md), "
    "Jury's criterion, rationals",
    claims=(
        power_of_sequences,
        one_direction,
        near_the_best,
        ringing,
        heavier_momentum,
        echo,
        stronger,
        search_at_eight,
        search_when_ringing,
        rate_kept,
        exponents,
        what_one_radius_leaves,
        no_speed_up,
        within_the_bound,
        rate_in_runs,
        identities,
    ),
    data=picture,
    proofs=("response", "ringing", "echo", "rates", "far_away"),
    uses=(
        "ozfatura2024",
        "baruch2019",
        "xie2020",
        "yin2018",
    ),
)
