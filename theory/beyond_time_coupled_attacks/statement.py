"""Beyond the paper: attacks that are coupled over time, against centered clipping with worker momentum.

The paper's own attacks look at one round. An attacker who remembers the server's last aggregate v_{t−1}, as every
worker can, sends v_{t−1} + τu: clipping, which is centred there, passes it on whole, and f of them move the aggregate
by δτ along u, in every round (relocation; `sims.attacks.Relocation`). What sequences of such pushes can do on f = ½Lx²
is the theory of `response.py`. For a quadratic in d dimensions it bounds the gradient along every
eigenvector; who turns from one to the next may have several of them at once, √d times as much at most.

All that follows is of the linear loop, which CC is as long as no honest message is clipped:

- *The power of a sequence* is δτ·Σ|h_k|, h the response of x to a push.
- *α = 8Lη*, Theorem VI's: h has one sign, so that nothing is stronger than pushing in one direction for ever. As long
  as no honest message is clipped it moves the gradient to fτ/g, whatever the attackers know: for the τ reconstructed
  for Theorem IV the squared error is δ·(16/(3√3))ρ²/(1 − δ), of the order that Theorem VI′ allows.
- *α < 4Lη*: h rings, and who pushes in step with it gets, for small Lη, up to (4/π)Lη/α times as far. With τ² ~ ρ² ~ α
  the worst squared error is of the order δσ²·max(α, (Lη)²/α): momentum that is heavier than α ~ Lη helps against
  attacks of one round and hurts against those. At Lη > (1 − βδ)/(βδ) it even suffices to repeat v_{t−1}, without any
  push: x grows exponentially until CC clips honest messages, and then like t² at most, |v_t − v_{t−1}| ≤ τ.
- *The rate.* E‖∇f‖² ≤ (√(the average without attack) + fτ/g)² for every attack at α = 8Lη (Minkowski), as long as no
  honest message is clipped, and the push attains the second term. With η ~ α ~ T^{−1/2} and τ² ~ α^q the average falls
  like T^{−min(1, q)/2} at the settings looked at: Theorem VI's rate is kept if τ² = O(α), which is what E‖AGG − m̄‖² ≤
  cδρ_t² asks for; with one τ for all α a floor (fτ/g)² stays. And what stays of order √(δσ²LF0/T) does not fall with n:
  the second term of Remark 5 is really there.

*Where honest messages are clipped.* The τ reconstructed for Theorem IV is 5.3ρ at δ = 0.1 and 2ρ at δ = 0.44, and the
push takes fτ/g of it: 4.7ρ and 0.42ρ are left to the honest messages. Runs of CC stay below the bound at n = 10, f = 1
and n = 20, f = 4; at n = 25, f = 11 it clips honest messages, on one side, and the same push gets beyond the linear
loop's bound.
"""

from __future__ import annotations

from theory.beyond_time_coupled_attacks.clipped import within_the_bound
from theory.beyond_time_coupled_attacks.linear_loop import (
    echo,
    heavier_momentum,
    one_direction,
    power_of_sequences,
    ringing,
)
from theory.beyond_time_coupled_attacks.picture import picture
from theory.beyond_time_coupled_attacks.rates import exponents, floor, near_the_best, no_speed_up, rate_kept
from theory.beyond_time_coupled_attacks.runs import rate_in_runs, search_at_eight, search_when_ringing, stronger
from theory.claim import Statement

STATEMENT = Statement(
    stem="beyond_time_coupled_attacks",
    label="Beyond: time-coupled",
    title="Attacks coupled over time, CC",
    printed=None,
    corrected="One clipping step, worker momentum, f = ½Lx², as long as no honest message is clipped: no sequence "
    "of attacks moves x_T by more than δτΣ|h_k|, h the loop's response to a push, and one does. With α "
    "= 8Lη ≤ 4/5, δ ≤ ½, h has one sign, so that nothing is stronger than pushing in one direction. For "
    "Lη > (1 − βδ)/(βδ) (β ≥ 0.9, δ ≥ 0.03) repeating the last aggregate makes x diverge.",
    says_corrected="No attack sequence moves x_T by more than δτΣ|h_k|; one does",
    for_you="Scale τ with √α and keep α near 8Lη: more momentum than that helps attackers who push in step with it.",
    rests_on="the response h of the linear loop (pen and paper, theory/beyond_time_coupled_attacks/response.py), "
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
        floor,
        no_speed_up,
        within_the_bound,
        rate_in_runs,
    ),
    data=picture,
    uses=(
        "ozfatura2024",
        "baruch2019",
        "xie2020",
        "yin2018",
    ),
)
