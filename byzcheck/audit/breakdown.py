"""The breakdown point: how many arbitrary messages it takes to drive the output as far away as an attacker likes.

b messages are placed at growing distances from n − b honest ones: in one heap, to both sides, evenly, in pairs, each
ten times as far as the one before, or with much room between the nearest three. The output is broken where its distance
from the honest messages grows with theirs, or where it is no finite number. (What NaN and infinities do is asked in
`damaged`: a rule that lets them through has the same breakdown point among finite messages.) The largest b that nothing
of this breaks is an upper bound of the breakdown point. For Krum told f it is the true one, min(f + 2, ⌊(n − 1)/2⌋):
with f + 2 attackers an honest score holds one of them, at r say, and every attacker's score several honest messages;
with f + 3 it holds two, r² + R², and that of the nearer one (n − f − 3)r² + (R − r)², less where R > (n − f − 2)r/2. No
translation equivariant rule has more than ⌊(n − 1)/2⌋ (Lopuhaä and Rousseeuw 1991, Theorem 2.1): half of the messages
and the other half are each other's attackers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from byzcheck.audit.ask import asked, generator, largest, wide
from byzcheck.audit.line import Line
from sims.aggregators import Rule
from sims.aggregators.rule import declared
from sims.backend import Array
from sims.checks.evidence import Evidence

D = 2
NEAR = 100.0  # of the honest messages' reach: no distance that is called far
GROWTH = 30.0  # by which the output's distance grows from one scale to the last, if it follows the attackers


def scales(like: Array | None) -> tuple[float, ...]:
    """Distances of attackers, of which the last two tell growth: 10⁴ to 10¹², or less, so that squares are finite."""
    most = min(12, int(math.log10(largest(like)) / 2.5))
    return tuple(10.0 ** (most * k / 3) for k in (1, 2, 3))


def patterns(b: int, n: int, d: int) -> Iterator[tuple[str, np.ndarray]]:
    """(how, directions and lengths (b, d)) of b attackers among n at the distance 1 or less."""
    up = np.ones((b, d))
    signs = np.where(np.arange(b) % 2, -1.0, 1.0)[:, None]
    ladder = ((np.arange(b) + 1) / b)[:, None]
    yield "in one heap", up
    yield "in one heap below", -up
    yield "to both sides", up * signs
    yield "evenly from near to far", up * ladder
    yield "each far from the others", up * signs * ladder
    yield "each ten times as far as the one before", up * 10.0 ** -np.arange(b - 1, -1, -1.0)[:, None]
    # a rule that sums distances to its neighbours has n of those to the nearest attacker beside one to the next
    yield "one near, the next farther, the rest beyond", up * float(2 * n) ** np.minimum(np.arange(b) - 2, 0)[:, None]
    if b > 1:
        yield "in one heap, one of them twice as near", up * np.where(np.arange(b) == 0, 0.5, 1.0)[:, None]
        yield "in pairs", up * (1 + np.arange(b) // 2)[:, None] / (1 + b // 2)
    yield "in one coordinate each", np.eye(d)[np.arange(b) % d]


def found_breakdown(rule: Rule, n: int, seed: int, like: Array | None) -> tuple[int, str]:
    """The largest b < n that nothing tried breaks, with all smaller b, and what breaks b + 1 (nothing: "")."""
    honest = generator(seed, n, 4).uniform(-1, 1, (n, D))
    for b in range(1, n):
        if how := _broken(rule, honest, b, like):
            return b - 1, f"{b} message{'s' * (b > 1)} {how}"
    return n - 1, ""


def _broken(rule: Rule, honest: np.ndarray, b: int, like: Array | None) -> str:
    names, rows = zip(*patterns(b, len(honest), D), strict=True)
    distances = scales(like)
    x = np.broadcast_to(honest, (len(names), len(distances), *honest.shape)).copy()
    x[:, :, :b, :] = np.stack(rows)[:, None] * np.array(distances)[:, None, None]
    flat = x.reshape(-1, *honest.shape)
    y = asked(rule, flat, like).reshape(len(names), len(distances), D)
    with np.errstate(over="ignore", invalid="ignore"):
        far = np.linalg.norm(y, axis=-1)
    follows = (far[:, -1] > NEAR) & (far[:, -1] > GROWTH * far[:, -2])
    for k in np.flatnonzero(~np.all(np.isfinite(y), axis=(1, 2)) | follows).tolist():
        return f"{names[k]} at {distances[-1]:.0e}"
    return ""


def lines(rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None) -> tuple[Line, ...]:
    """The breakdown point found beside the declared one, f, and ⌊(n − 1)/2⌋; half precision is asked in float32."""
    if n < 2:
        return ()
    like, wanted = wide(like), declared(rule, n)[1]
    most = (n - 1) // 2
    found, how = found_breakdown(rule, n, seed, like)
    least = max(min(wanted, n - 1), f)
    evidence = Evidence("arbitrary messages that the output tolerates", found, ">=", least, "searched")
    if how:
        says = (
            f"{found} of {n} arbitrary messages leave the output bounded; it is driven away by {how}; declared {wanted}"
        )
    else:
        says = f"no number of arbitrary messages, up to {found} of {n}, drives the output away; declared {wanted}"
    if found > most:
        against = f"⌊(n − 1)/2⌋ = {most} binds only rules that move with their messages, and with nothing else"
    else:
        against = f"{found} of the {most} that are possible"
    if found < least:
        against += f", and fewer than {'is declared' if found < min(wanted, n - 1) else f'f = {f}'}"
    return (Line("breakdown point", says, "searched", against, found >= least, (evidence,), how),)
