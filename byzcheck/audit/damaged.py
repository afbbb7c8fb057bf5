"""What comes out of a rule when messages are damaged: NaN, infinities, numbers at either end of the range."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from byzcheck.audit.ask import asked, generator, largest
from byzcheck.audit.limit import TookTooLong, within
from byzcheck.audit.line import Line
from sims.aggregators import Rule
from sims.backend import Array, namespace
from sims.checks.evidence import Evidence
from sims.owned import told

SECONDS = 8.0  # for one aggregation
HANGS = 3  # after which no further damage is tried
D = 3
NEAR = 10.0  # diameters of the honest messages: what is called near them
WITHIN = 1e-6  # of a diameter, that rounding or an iteration may add

Damage = Callable[[np.ndarray, int, float], np.ndarray]  # (messages (runs, n, d), how many, the largest number)


def _rows(value: float, one_number: bool = False) -> Damage:
    def damage(x: np.ndarray, count: int, most: float) -> np.ndarray:
        x = x.copy()
        x[:, :count, slice(0, 1) if one_number else slice(None)] = value * most if abs(value) < 1 else value
        return x

    return damage


def _both(x: np.ndarray, count: int, most: float) -> np.ndarray:
    x = x.copy()
    x[:, :count, :] = np.where(np.arange(count) % 2, -math.inf, math.inf)[:, None]
    return x


DAMAGES: Mapping[str, Damage] = {
    "NaN": _rows(math.nan),
    "NaN in one number": _rows(math.nan, one_number=True),
    "+∞": _rows(math.inf),
    "−∞": _rows(-math.inf),
    "+∞ and −∞": _both,
    "huge": _rows(0.99),
}


def outcome(found: np.ndarray, honest: np.ndarray, rounding: float = WITHIN) -> tuple[str, float]:
    """What became of the aggregates (runs, d) beside honest messages (runs, g, d): in words, and how far outside.

    The distance is that to the smallest box around the honest messages, in diameters of the box, the worst of all runs;
    up to `rounding` it is none.
    """
    if np.any(np.isnan(found)):
        return "the output is NaN", math.inf
    if not np.all(np.isfinite(found)):
        return "the output is infinite", math.inf
    low, high = np.min(honest, axis=1), np.max(honest, axis=1)
    diameter = np.linalg.norm(high - low, axis=-1)
    with np.errstate(over="ignore"):
        outside = np.linalg.norm(np.maximum(low - found, 0) + np.maximum(found - high, 0), axis=-1)
    far = float(np.max(outside / np.where(diameter > 0, diameter, 1.0)))
    if far <= rounding:
        return "the output stays among the honest", far
    if far <= NEAR:
        return "the output stays near the honest", far
    return "the output goes far away", far


def lines(
    rule: Rule, n: int, f: int, seed: int = 0, like: Array | None = None, seconds: float = SECONDS
) -> tuple[Line, ...]:
    """What f damaged messages do, and whether the rule works on denormal numbers.

    One is damaged where f = 0, none where it would be the only one.
    """
    count = max(f, 1)
    x = generator(seed, n, 3).uniform(-1, 1, (4, n, D))
    if count >= n:
        return (_denormal(rule, x, like, seconds),)
    groups: dict[str, list[str]] = {}
    evidence = []
    for kind, damage in DAMAGES.items():
        if sum(len(kinds) for words, kinds in groups.items() if "hangs" in words) == HANGS:
            break
        values = damage(x, count, largest(like))
        words, far = _tried(rule, values, x[:, count:, :], like, seconds)
        groups.setdefault(words, []).append(kind)
        what = f"distance from the honest messages, in their diameters, after {count} messages of {kind}"
        if f:
            evidence.append(Evidence(what, far, "<=", NEAR, "searched"))
    parts = [f"{words} ({', '.join(kinds)})" for words, kinds in groups.items()]
    fine = all("stays" in words for words in groups)
    good = fine if f else (None if not fine else True)
    whole = set(groups) == {"the output stays among the honest"}
    against = "the best possible" if whole else "" if fine else f"a robust rule ignores {count} of {n}"
    says = f"{count} damaged of {n}: {'; '.join(parts)}"
    first = Line("NaN, ±∞, huge", says, "searched", against, good, tuple(evidence))
    return first, _denormal(rule, x, like, seconds)


def _denormal(rule: Rule, x: np.ndarray, like: Array | None, seconds: float) -> Line:
    """All messages are so small that their squares vanish, between 2^−1064 and 3·2^−1064 in float64."""
    info = np.finfo(np.float64) if like is None else namespace(like).finfo(like.dtype)
    unit = float(info.smallest_normal) * float(info.eps)  # the smallest number
    scale = 2**10 * unit
    values = np.round((x + 2) * 2**10) * unit
    words, far = _tried(rule, values, values, like, seconds, scale, rounding=0.01)
    evidence = Evidence(f"distance of messages of about {scale:.1e} to their aggregate", far, "<=", NEAR, "searched")
    says = f"all messages are denormal numbers: {words.replace('the honest', 'them')}"
    return Line("denormal", says, "searched", "", "among" in words, (evidence,))


def _tried(
    rule: Rule,
    values: np.ndarray,
    honest: np.ndarray,
    like: Array | None,
    seconds: float,
    scale: float = 1.0,
    rounding: float = WITHIN,
) -> tuple[str, float]:
    try:
        found = within(seconds, lambda: asked(rule, values, like))
        with np.errstate(over="ignore"):
            return outcome(found / scale, honest / scale, rounding)
    except TookTooLong as late:
        if not late.stopped:
            raise  # nothing more can be asked
        return f"it hangs, {late}", math.inf
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # an exit, too, is something that a rule does instead of answering
        return f"it raises {told(error)}", math.inf
