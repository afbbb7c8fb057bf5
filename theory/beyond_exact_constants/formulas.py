"""κ* of each rule as a formula, each with its derivation.

κ*(rule; n, f, F) = sup ‖AGG − x̄‖²/v over g = n − f honest messages of mean x̄ and variance v = (1/g)Σ‖x_i − x̄‖² > 0,
f arbitrary others, and a rule that was told F ≥ f; ∞ if it errs at v = 0. All of it is for every dimension d, unless a
line says otherwise.

*A linear functional.* If ‖AGG − x̄‖ ≤ Σ_i ⟨c_i, x_i⟩ for vectors c_i with Σ c_i = 0, which may depend on the messages,
and Σ‖c_i‖² ≤ C, then κ* ≤ gC (Cauchy–Schwarz), with equality for x_i proportional to c_i. Where b of the messages
averaged are Byzantine, b honest ones were left out: R. Every bound below grows with b ≤ f.
"""

from __future__ import annotations

import math
from fractions import Fraction


def least(n: int, f: int, F: int) -> Fraction:
    """F/(n − f − F): no rule that is robust up to a declared F ≥ f has a smaller κ*.

    Let n − F messages be equal and F be elsewhere, together. The n − F may be all honest, at variance 0, so that the
    rule returns their value. If f of *them* are Byzantine, the honest mean is F/g away, at the variance F(g − F)/g².
    The order F/(n − f − F) is that of Chen, Zhang, Huang (arXiv 2510.04432); at F = f it is Allouah et al. (arXiv
    2302.01772).

    >>> least(25, 5, 5), least(25, 0, 5)
    (Fraction(1, 3), Fraction(1, 4))
    """
    return Fraction(F, n - f - F)


def trimmed_mean(n: int, f: int, F: int) -> Fraction:
    """The least possible: F/(n − f − F), at every f ≤ F < n/2, f = 0 included.

    On the line: TM is monotone in each Byzantine value, so let them be +∞. It averages honest order statistics from the
    (F + 1)-th up, at most the average of the g − F largest, which is F/g times the gap D between these and the F
    smallest above x̄, and v ≥ F(g − F)D²/g². Coordinates add up.
    """
    return least(n, f, F)


def coordinate_median(n: int, f: int) -> Fraction:
    """The trimmed mean of F = ⌈n/2⌉ − 1: (n − 1)/(n + 1 − 2f) for odd n, (n − 2)/(n + 2 − 2f) for even n.

    >>> coordinate_median(5, 1), coordinate_median(6, 1)
    (Fraction(1, 1), Fraction(2, 3))
    """
    return least(n, f, -(-n // 2) - 1)


def geometric_median(n: int, f: int, line: bool = False) -> Fraction:
    """(n − 1)/(n + 1 − 2f) for odd n; for even n ≥ 4 it is n/(n − 2f), and on the line (n − 2)/(n + 2 − 2f).

    Let 0 be the median, r_i u_i the honest messages, e the direction of x̄, c_i = ⟨u_i, e⟩ ∈ [−1, 1], of r_i = 0 a
    subgradient's. Optimality gives Σc_i ≤ f. ‖x̄‖² ≤ (Σ r_i c_i⁺/g)² ≤ s·Σr_i²/g with s = Σ(c_i⁺)²/g, hence κ* ≤ s/(1 −
    s). The convex s is largest at a vertex of {Σc_i ≤ f}: ⌊n/2⌋ of the c_i are 1, the others −1, and for odd n one is
    0. So s = ⌊n/2⌋/g. Attained by ⌊n/2⌋ honest messages at 1 and all others at 0, which is the median for odd n. For
    even n all between 0 and 1 minimise, and it is the midpoint; but with two of those at 1 moved to (1, ±h) 0 is the
    only one, for every h > 0.
    """
    half = n // 2
    if n % 2 == 0 and (line or n == 2):
        half -= 1
    return Fraction(half, n - f - half)


def minimum_variance(n: int, f: int) -> Fraction:
    """4f/(n − 2f), F = f, of the mean of those n − f messages whose covariance has the least largest eigenvalue (SMEA).

    So, too, of the n − f of least total variance. Let α, β, ρ be the means of the honest ones in it, of the b Byzantine
    ones in it, and of the b honest ones left out: the error is (b/g)‖β − ρ‖. Along its direction the chosen set's
    variance is at least b(g − b)/g²·⟨β − α⟩² and at most the honest ones' largest, ≤ v, and v ≥ b(g − b)/g²·‖ρ − α‖²:
    so ‖β − ρ‖² ≤ 4vg²/(b(g − b)). Attained by f honest messages at −1, n − 2f at 1, f Byzantine ones at 3 − ε.
    """
    return Fraction(4 * f, n - 2 * f)


def minimum_diameter(n: int, f: int) -> Fraction:
    """(2f² + 3f + f²/k)/(n − f), k = n − 2f − 1, F = f, of the mean of the n − f messages of least diameter (MDA).

    For n = 2f + 1 it is (5f² + 3f)/(n − f). With δ = f/n fixed it grows like n: a diameter sees one message, however
    small the variance. Let ‖x_p − x_q‖ be the honest diameter; each Byzantine message chosen is at most that far from
    each honest one chosen, so from their mean, or from the mean of k of them. So g‖error‖ ≤ ‖b·mean − Σ_R x_i‖ + b‖x_p
    − x_q‖. The coefficients add up to the most, 2b² + 3b + b²/k, if p is in R, q is chosen and not among the k, and
    both parts point the same way; with k = 0 q must be averaged too. Attained on the line: one at −(f + 1), f − 1 at
    −1, k at f/k, one at f, and Byzantine ones as far above f/k as f is above −(f + 1), less ε.

    >>> minimum_diameter(5, 1), minimum_diameter(7, 2), minimum_diameter(3, 1)
    (Fraction(11, 8), Fraction(16, 5), Fraction(4, 1))
    """
    k = n - 2 * f - 1
    return Fraction(5 * f * f + 3 * f, n - f) if k == 0 else (2 * f * f + 3 * f + Fraction(f * f, k)) / (n - f)


def mean_around_median(n: int, f: int) -> Fraction:
    """4f(1 + f/q)/(n − f), q = ⌊n/2⌋ + 1 − f, F = f, of the mean of the n − f values nearest to the median (Meamed).

    A Byzantine value chosen is no farther from the median m than any of the b honest ones left out, and those above m
    help the rule: g·error ≤ Σ_R 2(m − x_i). For odd n at least q honest values are ≥ m, so that m is at most the mean
    of the q largest: coefficients −2 on b, 2b/q on q. For even n m is the midpoint of two values, x ≤ y; q honest ones
    are ≥ x, q − 1 of them ≥ y: y is at most the mean of these q − 1, and x at most any weighted one of the q; weights
    2/q on x and (q − 2)/(q(q − 1)) on the others give the same coefficients, and so does a Byzantine x or y. Attained
    by f at −2, q at 2f/q, the others at 0, and Byzantine ones at 2 + 4f/q − ε.

    >>> mean_around_median(5, 1), mean_around_median(6, 1)
    (Fraction(3, 2), Fraction(16, 15))
    """
    return 4 * f * (1 + Fraction(f, n // 2 + 1 - f)) / (n - f)


def mean_around_trimmed_mean(n: int, f: int) -> Fraction:
    """4f/(n − 2f), F = f, of the mean of the n − f values nearest to the trimmed mean of each coordinate (phocas).

    As `mean_around_median`: TM(f) is at most the mean of the n − 2f largest honest values: (4f + 4f²/(n − 2f))/g.
    Attained by f at −2, the others at 2f/(n − 2f), and the Byzantine ones as far above that, less ε.
    """
    return Fraction(4 * f, n - 2 * f)


def mean_around_pivot(n: int, f: int, F: int | None = None) -> Fraction:
    """4f(f + 1)/(n − f) at F = f, the default, of the mean of the n − F messages nearest to an honest one, p (MoNNA).

    A Byzantine message chosen is no farther from p than any honest one left out, so than these L = F − f + b in the
    mean. With m = n − F the error is at most Σ⟨c_i, x_i⟩ with |c_i| = 1/g + b/(mL) on these, w + 2b/m on p, w = 1/m −
    1/g, and w on the m − b − 1 others, the most at b = f; at F = f: 2/g, 2f/g and 0. Attained on the line with x_i =
    c_i, the Byzantine ones beyond p as far as those left out are on this side, less ε. With δ fixed it grows like n,
    since p itself may be the one that is far away.

    >>> mean_around_pivot(5, 1), mean_around_pivot(5, 1, 2), mean_around_pivot(5, 0, 1)
    (Fraction(2, 1), Fraction(11, 3), Fraction(1, 4))
    """
    F = f if F is None else F
    if F == 0:
        return Fraction(0)
    g, m = n - f, n - F
    w = Fraction(1, m) - Fraction(1, g)
    left_out, pivot = Fraction(1, g) + Fraction(f, m * F), w + Fraction(2 * f, m)
    return g * (F * left_out**2 + pivot**2 + (m - f - 1) * w**2)


def mixing_at_least(n: int, f: int, F: int) -> Fraction:
    """(F + f(n − f)/(n − F))²/(F(n − f − F)): nearest-neighbour mixing is no better before *any* robust rule.

    At F = f that is 4f/(n − 2f), four times the least. Honest: F at −1 and g − F at 1; Byzantine: f at 3 − ε, nearer to
    those at 1 than those at −1 are. Mixing with n − F − 1 nearest others makes of each of these n − F the same 1 +
    2f/(n − F) − ε′, which any rule that is robust up to F returns; the honest mean is 1 − 2F/g.
    """
    return (F + Fraction(f * (n - f), n - F)) ** 2 / (F * (n - f - F))


def mixing_at_most(n: int, f: int, inner: Fraction | float) -> Fraction | float:
    """8f/(n − f)·(κ + 1) before a rule of κ, F = f (Allouah et al. 2023, arXiv 2302.01772, Lemma on mixing).

    y_i − x̄ is (1/g)(Σ_B x_j − Σ_R x_k), each j nearer to x_i than each k: ‖y_i − x̄‖² ≤ (4f/g²)Σ_k‖x_k − x_i‖², whose
    average over i is at most 8fv/g. Of that, s² is variance and t² the mean's error, and (√κ·s + t)² ≤ (κ + 1)(s² +
    t²).
    """
    return Fraction(8 * f, n - f) * (inner + 1)


def clipped_at_most(n: int, f: int, F: int, inner: Fraction | float) -> Fraction | float:
    """κ + k/(g − k) before a rule of κ, where the k = ⌊2F(n − F)/n⌋ longest messages are shortened (ARC).

    Allouah et al. (arXiv 2405.14432) have κ + 2f/(n − 2f), which is no less. Let a ≤ k honest messages be shortened, by
    d_i, into the ball that has all others: by obtuse angles each pair of one of these and one of the g − a others loses
    at least ‖d_i‖² of its squared distance, and no pair gains any. So v loses at least (g − a)/g²·Σ‖d_i‖² ≥ (g − a)/a
    times the square of what the mean moves; √(κ(1 − s)) + √(s·a/(g − a)) ≤ √(κ + a/(g − a)).

    Before the trimmed mean (and the median) it is κ* in d ≥ g dimensions, as the common offset R(1, …, 1) grows: the
    ball is a half-space, k honest messages are δ(1, …, 1) beyond it, in coordinate j the honest j, …, j + F − 1 (mod g)
    are D above the others, and the Byzantine ones far inside: both errors point inwards (`worst_cases.beyond_a_ball`).

    >>> clipped_at_most(9, 1, 2, least(9, 1, 2))
    Fraction(14, 15)
    """
    k = 2 * F * (n - F) // n
    return inner + Fraction(k, n - f - k)


def krum_at_most(n: int, f: int, neighbours: int) -> float:
    """An upper bound of κ* of Krum with scores over l nearest others, at any F: where `krum.certified` would take long.

    (√(2lg/((g − 1)h)) + √((g − h)/h))², h = l − f + 1. At least h of z and its neighbours are honest, of mean x̄_h:
    score(z) ≥ h‖z − x̄_h‖², and ‖x̄_h − x̄‖² ≤ v(g − h)/h. It is at most the mean of the honest scores, each at most
    l/(g − 1) of the squared distances to all honest messages, which are 2gv in the mean.
    """
    g, h = n - f, neighbours - f + 1
    return (math.sqrt(2 * neighbours * g / ((g - 1) * h)) + math.sqrt((g - h) / h)) ** 2


def multi_krum_at_most(n: int, f: int, fewer: int = 2) -> float:
    """An upper bound of κ* of Multi-Krum with m = n − f = n − F, which is at least 4f/(n − 2f) if n ≥ 3f.

    Scores are over l = n − f − `fewer` nearest others. b Byzantine ones chosen, b honest ones, R, left out: each of the
    former scores no more than each of the latter. Score of a Byzantine one: at least h = l − f + 1 of its neighbours
    are honest, of mean x̄_h, and it is at least h‖x_j − x̄_h‖², with ‖x̄_h − x̄‖² ≤ v(g − h)/h. Scores of R add up to
    at most l/(g − 1)·Σ_R g(v + ‖x_k − x̄‖²) ≤ l·g(b + g)v/(g − 1). So Σ‖x_j − x̄_h‖ ≤ √(b·lg(b + g)v/((g − 1)h)), and
    ‖Σ_R (x_k − x̄)‖² ≤ b(g − b)v: κ* ≤ (√(blg(b + g)/((g − 1)h)) + b√((g − h)/h) + √(b(g − b)))²/g², at the worst b ≤
    f. From below: f honest at −1, n − 2f at 1, f Byzantine at 3 − ε. With l = n − f − 2 those at −1 score 4(n − 2f −
    1), the Byzantine ones less, and those at 1 less than 4(f − 1), so that f Byzantine ones are averaged if n ≥ 3f;
    with l = n − f − 1 likewise.
    """
    g, near = n - f, n - f - fewer
    h = near - f + 1
    return max(
        (math.sqrt(b * near * g * (b + g) / ((g - 1) * h)) + b * math.sqrt((g - h) / h) + math.sqrt(b * (g - b))) ** 2
        / g**2
        for b in range(1, f + 1)
    )


def over_declared(n: int, f: int, F: int, at_declared: Fraction | float) -> Fraction | float:
    """An upper bound of κ*(f, F) from κ = κ*(F, F): κ(1 − w) − w, w = (F − f)/((n − F)(n − f − 1)).

    Of every rule that knows no worker: one that trusts an honest one (MoNNA) is not robust where that one is not drawn.
    Draw n − F of the g honest messages, without replacement: the rule is κ-robust against the rest. The drawn mean has
    variance wv around x̄ and the drawn variance (1 − w)v in the mean: E‖AGG − x̄_T‖² = ‖AGG − x̄‖² + wv ≤ κ(1 − w)v.
    """
    w = Fraction(F - f, (n - F) * (n - f - 1)) if f < F else Fraction(0)
    return at_declared * (1 - w) - w


PUBLISHED = {  # Allouah et al. 2023 (arXiv 2302.01772), its table of robustness coefficients, F = f, a = f/(n − 2f)
    "TrimmedMean": lambda a: 6 * a * (1 + a),
    "CoordinateMedian": lambda a: 4 * (1 + a) ** 2,
    "GeometricMedian": lambda a: 4 * (1 + a) ** 2,
    "Krum": lambda a: 6 * (1 + a),
}


def published(name: str, n: int, f: int) -> Fraction | None:
    """The κ of the literature's table for a rule, F = f; None for a rule that is not in it.

    >>> published("Krum", 5, 1), published("Bulyan", 7, 1)
    (Fraction(8, 1), None)
    """
    return PUBLISHED[name](Fraction(f, n - 2 * f)) if name in PUBLISHED else None


def definition_c(n: int, f: int, kappa: Fraction | float) -> Fraction | float:
    """c ≤ κ*·n(g − 1)/(2gf): E v ≤ (ρ²/2)(g − 1)/g for independent messages, δ = f/n."""
    g = n - f
    return kappa * Fraction(n * (g - 1), 2 * g * f)
