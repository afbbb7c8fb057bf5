"""The algebra in the proofs of the sharp constant, for all values of the letters."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from sims.checks.evidence import Evidence
from sims.checks.polynomials import quotients, vanishes
from theory.claim import Context, Control, claim


def of_the_bias() -> Iterator[Evidence]:
    """Steps 1, 3 and 4 of `bias.md`; `part` is (2/g)·B(2f, 2h)/B(f, h)², `apart` E|Y − Y′|."""
    u, f, h, part, apart = quotients("u f h part apart")
    g = f + h
    square = 1 - f / g - part
    yield vanishes(
        "∫J, the logarithmic derivative of u(1 − u)F′, and both sides by parts (bias, steps 1 and 3)",
        g / h * (1 - f / g) - 1,
        1 / u - 1 / (1 - u) + (f - 1) / u - (h - 1) / (1 - u) - (f - g * u) / (u * (1 - u)),
        f / 2 - g / 2 + g / 2 * square + part * g / 2,
        (g / h) ** 2 * square - 1 - (f / h - (g / h) ** 2 * part),
    )
    variance = f * h / (g**2 * (g + 1))
    yield vanishes(
        "B² by E|Y − Y′|, and its bound squared (bias, step 4)",
        (g / h) ** 2 * (1 - (f / g + apart / 2)) - 1 - (f / h - (g / h) ** 2 * apart / 2),
        ((g / h) ** 2 / 2) ** 2 * 2 * variance - (f / h) ** 2 * g**2 / (2 * f * h * (g + 1)),
    )


def of_descent(whole: int) -> Iterator[Evidence]:
    """Steps 2 and 3 of `descent.md`; aa, ab and bb are inner products."""
    aa, ab, bb = quotients("aa ab bb")
    yield vanishes(
        "−2⟨a, a + b⟩ + ‖a + b‖² = −‖a‖² + ‖b‖² (descent, step 2)",
        -2 * (aa + ab) + whole * (aa + 2 * ab + bb) + aa - bb,
    )
    k, s, mu, L, V, D = quotients("k s mu L V D")
    eta, times = 2 / (mu * (k + s)), (k + s) * (k + s - 1)
    yield vanishes(
        "the recursion times (k + s)(k + s − 1), and the next weight (descent, step 3)",
        times * ((1 - eta * mu) * D + L * eta**2 / 2 * V)
        - (k + s - 1) * (k + s - 2) * D
        - 2 * L * V / mu**2 * (k + s - 1) / (k + s),
        times - ((k + 1) + s - 1) * ((k + 1) + s - 2),
    )


@claim(
    "The identities in the proofs hold for all values of the letters.",
    part_of="corrected",
    controls=(
        Control("Lη = 2", "then ‖a + b‖² counts in full, and ⟨a, b⟩ is left", {"whole": 2}),
        Control("n in the place of g", "q is a share of the honest workers", {"lost": lambda n, f: n}),
    ),
)
def identities(ctx: Context, *, whole: int = 1, lost: Callable[..., Any] = lambda n, f: n - f) -> Iterable[Evidence]:
    """What is left of each."""
    n, f, e, w, sigma, mu = quotients("n f e w sigma mu")
    q = (1 - e) * f / lost(n, f)
    yield vanishes(
        "q/(1 − q) at q = (1 − ε)f/g (forced, step 2)",
        q / (1 - q) - (1 - e) * f / (n - 2 * f + e * f),
        (1 - e) * f / (n - 2 * f + e * f) - f / (n - 2 * f) * (1 - e * (n - f) / (n - 2 * f + e * f)),
    )
    yield from of_the_bias()
    yield from of_descent(whole)
    q = (1 + w) / 2
    spike_sq, d = sigma**2 / (q * (1 - q)), f / n
    yield vanishes(
        "the variance, a²/(2μ), and n/g = 1 + r (for_ever, steps 1 and 4)",
        spike_sq * q * (1 - q) - sigma**2,
        (q - 1 / (2 + 0 * q)) ** 2 * spike_sq / (2 * mu) - w**2 / (1 - w**2) * sigma**2 / (2 * mu),
        n / (n - f) - 1 - d / (1 - d),
    )
