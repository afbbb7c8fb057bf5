"""The theorem at the best step, for every T, and beside the printed Theorem VI and Theorem VI′."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from fractions import Fraction

from sims.checks.evidence import Evidence
from theory.beyond_trimmed_mean.bound import best_bound, best_step, of_noise, shares, zero_start
from theory.claim import Context, Control, claim
from theory.theorem_vi_momentum.bound import best_bound as best_of_vi
from theory.theorem_vi_momentum.bound import printed_right_side

ONE = Fraction(1)
STARTS = [Fraction(1, 1000), Fraction(1, 10), ONE, Fraction(20)]  # F0, with σ² = L = 1
ROUNDS = (1, 3, 10, 100, 1000, 10**6)


@claim(
    "At the best step the bound is at most 4√(LF_0σ²K/T) + 32LF_0/(3T), for every T, F_0 and σ.",
    part_of="corrected",
    controls=(
        Control("3.9 for 4", "it is what remains as T → ∞", {"factor": Fraction(39, 40)}),
        Control("without the second term", "few rounds need it", {"second": 0}),
    ),
)
def at_the_best_step(ctx: Context, *, factor: Fraction = ONE, second: int = 1) -> Iterable[Evidence]:
    """The largest quotient of `zero_start` at η = 1/(1 + y) and the bound, over T, F0 and σ²K."""
    for T in ROUNDS:
        found = {}
        for f0, noise in itertools.product(STARTS, STARTS):
            most = best_bound(T, f0, noise) * factor - (1 - second) * Fraction(32, 3) * f0 / T
            found[f0, noise] = zero_start(T, best_step(noise * T / f0), f0, noise) / most
        f0, noise = max(found, key=found.__getitem__)
        yield Evidence(
            f"largest bound at the best step over its closed form, T = {T}, at F0 = {f0}, σ²K = {noise}",
            found[f0, noise],
            "<=",
            ONE,
            "exact",
            covers="three identities in y (whole.md)",
            at={"T": T},
        )


@claim(
    "With the trimmed mean's proved c that is at most a third of the printed bound, and 8/15 of Theorem VI′'s at its "
    "best step, for all n, f, T, F_0 and σ.",
    part_of="corrected",
    controls=(
        Control("twice 4√…", "VI′ is √5 times as large only", {"factor": 4}),
        Control(
            "a quarter of the print", "for few rounds it is a third", {"limits": (Fraction(1, 4), Fraction(8, 15))}
        ),
    ),
)
def beside_the_print(
    ctx: Context, *, factor: int = 1, limits: tuple[Fraction, Fraction] = (Fraction(1, 3), Fraction(8, 15))
) -> Iterable[Evidence]:
    """The largest quotient over n, f, T and F0, with the trimmed mean's proved c in the others; σ = 1."""
    sizes = [(n, f) for n in (3, 4, 5, 10, 25, 60, 1000) for f in {0, 1, n // 8, n // 4, (n - 1) // 2}]
    found: dict[str, tuple[Fraction, str]] = {"the printed bound": (Fraction(0), ""), "VI′": (Fraction(0), "")}
    for (n, f), T, f0 in itertools.product(sizes, ROUNDS, STARTS):
        ours = best_bound(T, f0, factor * of_noise(n, f))
        a, b = shares(n, f)
        printed = printed_right_side(T, float(f0), n, float(a / 2))
        others = {"the printed bound": printed, "VI′": best_of_vi(T, float(f0), float(a + b))}
        for name, other in others.items():
            found[name] = max(found[name], (ours / Fraction(other), f"n = {n}, f = {f}, T = {T}, F0 = {f0}"))
    for (name, (value, where)), limit in zip(found.items(), limits, strict=True):
        yield Evidence(
            f"largest quotient with {name}, at {where}",
            value,
            "<=",
            limit,
            "exact",
            1e-12,
            covers="K ≤ 2(A + B) ≤ 4(cδ + 1/n), then term by term (whole.md)",
            at={"of": name},
        )


def table() -> list[dict[str, float]]:
    """What stands before √(LF0σ²/T) in the printed bound (cδσ² ≪ LF0), in VI′ and here, at some n and f."""
    rows = []
    for n, f in ((25, 0), (25, 1), (25, 3), (25, 5), (25, 8), (25, 11)):
        a, b = (float(value) for value in shares(n, f))
        printed, prime = 16 * (10 * (a / 2 + 1 / n)) ** 0.5, (160 * (a + b)) ** 0.5
        rows.append({"n": n, "f": f, "printed": printed, "VI′": prime, "here": 4 * float(of_noise(n, f)) ** 0.5})
    return rows
