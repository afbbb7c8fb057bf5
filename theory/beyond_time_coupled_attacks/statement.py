"""Beyond the paper: attacks that are coupled over time, against centered clipping with worker momentum.

The paper's own attacks look at one round. An attacker who remembers the server's last aggregate v_{t−1}, as every
worker can, sends v_{t−1} + τu: clipping, which is centred there, passes it on whole, and f of them move the aggregate
by δτ along u, in every round (relocation; `sims.attacks.Relocation`). What sequences of such pushes can do on f = ½Lx²
is the theory of `response.py`. For a quadratic in d dimensions it bounds the gradient along every
eigenvector; who turns from one to the next may have several of them at once, √d times as much at most.

All that follows is of the linear loop, which CC is as long as no honest message is clipped:

- *The power of a sequence* is δτ·Σ|h_k|, h the response of x to a push.
- *α = 8Lη*, Theorem VI's: h has one sign, so that nothing is stronger than pushing in one direction for ever. As long
  as no honest message is clipped it moves the gradient to fτ/g, whatever the attackers know: for Theorem IV's τ the
  squared error is δ·(16/(3√3))ρ²/(1 − δ), of the order that Theorem VI′ allows.
- *α < 4Lη*: h rings, and who pushes in step with it gets, for small Lη, up to (4/π)Lη/α times as far. With τ² ~ ρ² ~ α
  the worst squared error is of the order δσ²·max(α, (Lη)²/α): momentum that is heavier than α ~ Lη helps against
  attacks of one round and hurts against those. At Lη > (1 − βδ)/(βδ) it even suffices to repeat v_{t−1}, without any
  push: x grows exponentially until CC clips honest messages, and then like t² at most, |v_t − v_{t−1}| ≤ τ.
- *The rate.* E‖∇f‖² ≤ (√(the average without attack) + fτ/g)² for every attack at α = 8Lη (Minkowski), as long as no
  honest message is clipped, and the push attains the second term. With η ~ α ~ T^{−1/2} and τ² ~ α^q the average falls
  like T^{−min(1, q)/2}: Theorem VI's rate is kept exactly if τ² = O(α), which is what E‖AGG − m̄‖² ≤ cδρ_t² asks for;
  with one τ for all α a floor (fτ/g)² stays. And what stays of order √(δσ²LF0/T) does not fall with n: the second term
  of Remark 5 is really there.

*Where honest messages are clipped.* Theorem IV's τ is 5.3ρ at δ = 0.1 and 2ρ at δ = 0.44, and the push takes fτ/g of
it: 4.7ρ and 0.42ρ are left to the honest messages. Runs of CC stay below the bound at n = 10, f = 1 and n = 20, f = 4;
at n = 25, f = 11 it clips honest messages, on one side, and the same push gets beyond the linear loop's bound.
"""

from __future__ import annotations

from sims.aggregators import Mean
from sims.attacks import NoAttack
from theory.beyond_time_coupled_attacks.clipped import within_the_bound
from theory.beyond_time_coupled_attacks.linear_loop import (
    CLIPPED,
    echo,
    heavier_momentum,
    one_sign,
    power_of_sequences,
    rings,
)
from theory.beyond_time_coupled_attacks.picture import picture
from theory.beyond_time_coupled_attacks.rates import exponents, floor, near_the_best, no_speedup, rate_kept
from theory.beyond_time_coupled_attacks.runs import (
    ETA,
    RINGING,
    better_when_ringing,
    no_better_than_pushing,
    rate_in_runs,
    stronger,
)
from theory.claim import Claim, Control, Statement

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
        Claim(
            name="power_of_sequences",
            text="Without clipped honest messages no sequence moves x_T by more than δτΣ|h_k|, and the signs of h do.",
            part_of=("corrected",),
            check=power_of_sequences,
            controls=(
                Control("|Σh_k|, a push in one direction", "where h rings a sequence does more", {"signed": True}),
                Control("the mean, 10τ", "nothing limits what one message does", {"rule": Mean(), "far": 10.0}),
                Control("δ = 0.44, α = Lη/4", "there honest messages can be driven beyond τ", {"cases": CLIPPED}),
            ),
        ),
        Claim(
            name="one_direction",
            text="With α = 8Lη ≤ 4/5 and δ ≤ ½ h has one sign: no sequence is stronger than one direction.",
            part_of=("corrected",),
            check=one_sign,
            controls=(Control("α = Lη", "below α = 4Lη the response oscillates", {"factor": 1}),),
        ),
        Claim(
            name="near_the_best",
            text="With α = 8Lη and as long as no honest message is clipped, the push has at least 0.7 of the average "
            "squared gradient that any attack can have.",
            part_of=(),
            check=near_the_best,
            controls=(Control("half a push", "it has about a quarter", {"push": 0.5}),),
        ),
        Claim(
            name="ringing",
            text="With Lη = 1/32 and ¼ and α from Lη/4 to Lη/64, some sequence gets at least 1.25·Lη/α times as far as "
            "the push; (4/π)/(1 − Lηδ/(1 − δ)) is the factor as α → 0.",
            part_of=(),
            check=rings,
            controls=(
                Control("2 for 1.25", "on this grid it is at most 1.66", {"constant": 2.0}),
                Control("the push", "it does not ring", {"signed": True}),
            ),
        ),
        Claim(
            name="heavier_momentum",
            text="At one step size the worst sequence does ten times more squared damage at α = Lη/64 than at α = 8Lη.",
            part_of=(),
            check=heavier_momentum,
            controls=(Control("the push", "against it heavier momentum helps", {"signed": True}),),
        ),
        Claim(
            name="echo",
            text="For β ≥ 0.9, δ ≥ 0.03 workers who repeat the last aggregate make x diverge if Lη > (1 − βδ)/(βδ), "
            "while nothing is clipped, and not if Lη is less.",
            part_of=("corrected",),
            check=echo,
            controls=(
                Control("honest workers", "without the echo the steps are stable", {"attack": NoAttack()}),
                Control("twice that step", "1 % below it x diverges already", {"times": 2}),
            ),
        ),
        Claim(
            name="stronger",
            text="In runs relocation leaves at least 3 times the squared gradient of IPM, ALIE and bit flipping for "
            "β = 0, 0.5 (= 1 − 8Lη) and 0.9, and 1.5 times for β = 0.99.",
            part_of=(),
            loose="medians of few runs: 3 is what they are certainly above",
            check=stronger,
            controls=(
                Control("turned by 180°", "against the last aggregate it slows x, no more", {"angle": 180.0}),
                Control("τ/20", "the push is as long as what is sent", {"shrink": 0.05}),
            ),
        ),
        Claim(
            name="search_at_eight",
            text="With α = 8Lη the best policy found, honest messages clipped or not, is at most 1.25 times the push.",
            part_of=(),
            loose="a search: what it may have missed is allowed for",
            check=no_better_than_pushing,
            controls=(
                Control("α = 0.16Lη", "there the search finds the rhythm", {"eta": RINGING[0], "alpha": RINGING[1]}),
            ),
        ),
        Claim(
            name="search_when_ringing",
            text="With α = 0.16Lη the best policy found leaves at least 5 times the squared gradient of the push.",
            part_of=(),
            loose="a search: 5 is what it is certainly above",
            check=better_when_ringing,
            controls=(Control("α = 8Lη", "there is no rhythm to find", {"eta": ETA, "alpha": 8 * ETA}),),
        ),
        Claim(
            name="rate_kept",
            text="With α = 8Lη ~ T^{−1/2} and Theorem IV's τ, τ² ~ α, the average falls at least like T^{−0.49}, under "
            "the push and by a bound for every attack, as long as no honest message is clipped.",
            part_of=(),
            check=rate_kept,
            controls=(
                Control("one τ for all α", "fτ/g stays", {"power": 0.0}),
                Control("τ² ~ √α", "the push falls like T^{−1/4} only", {"power": 0.5}),
                Control("β = 0.9 throughout", "ρ and with it τ stay", {"alpha": 0.1}),
            ),
        ),
        Claim(
            name="exponents",
            text="With τ² ~ α^q, 0 < q < 1, the average under the push falls like T^{−q/2}, as long as no honest "
            "message is clipped.",
            part_of=(),
            check=exponents,
            controls=(Control("T^{−1/2}", "that takes q = 1", {"kept": True}),),
        ),
        Claim(
            name="floor",
            text="With one τ for all α the average under the push tends to (fτ/g)², as long as no honest message is "
            "clipped.",
            part_of=(),
            check=floor,
            controls=(
                Control("τ² ~ α", "then nothing stays", {"power": 1.0}),
                Control("0.9τ", "the limit is that of τ itself", {"share": 0.9}),
            ),
        ),
        Claim(
            name="no_speed_up",
            text="At one δ a hundred times the workers leave at least 0.9 of the average under the push, as long as no "
            "honest message is clipped.",
            part_of=(),
            check=no_speedup,
            controls=(Control("no attack", "then it falls like 1/n", {"attacked": False}),),
        ),
        Claim(
            name="within_the_bound",
            text="In runs of CC, whatever it clips, the median average under the push with Theorem IV's τ stays below "
            "the linear loop's bound for every attack at n = 10, f = 1 and n = 20, f = 4.",
            part_of=(),
            check=within_the_bound,
            controls=(
                Control("n = 25, f = 11", "there the push makes CC clip honest messages", {"sizes": ((25, 11),)}),
            ),
        ),
        Claim(
            name="rate_in_runs",
            text="In runs of CC under the push, T = 128 to 512, the slope with Theorem IV's τ is at most −½.",
            part_of=(),
            loose="a slope is told from its neighbours, not measured to a quarter",
            check=rate_in_runs,
            controls=(Control("one τ for all α", "the floor shows already", {"power": 0.0}),),
        ),
    ),
    data=picture,
)
