"""Results as plain dictionaries: what `--json` prints and what is recorded."""

from __future__ import annotations

import json
import math
import numbers
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sims.backend import installed
from sims.checks.evidence import Evidence, headline
from theory.run import Options, Result, false_alarm

SCHEMA = 1  # of the run's record and of the recorded one
PACKAGES = ("byzcheck", "numpy", "scipy", "python-flint", "array-api-compat")

Record = dict[str, Any]


def number(value: Any) -> int | float | str:
    """A number as JSON can hold it: an int, a finite float, or "inf", "-inf", "nan"."""
    if isinstance(value, numbers.Integral):
        return int(value)
    try:
        real = float(value)
    except OverflowError:  # a Fraction beyond the largest float
        real = math.inf if value > 0 else -math.inf
    return real if math.isfinite(real) else str(real)


def versions() -> dict[str, str]:
    """What the numbers of a run were computed with."""
    return installed(PACKAGES)


def evidence_record(evidence: Evidence) -> Record:
    """One piece of evidence."""
    return {
        "what": evidence.what,
        "measured": number(evidence.measured),
        "relation": evidence.relation,
        "claimed": number(evidence.claimed),
        "error": number(evidence.error),
        "kind": evidence.kind,
        "covers": evidence.covers,
        "verdict": evidence.verdict,
    }


def statement_record(result: Result) -> Record:
    """A statement with everything that a run found out about it."""
    statement = result.statement
    telling = {side: result.headline(side) for side in ("printed", "corrected")}
    headlines = {side: None if e is None else evidence_record(e) for side, e in telling.items()}
    first = headlines["printed"] or headlines["corrected"] or {}
    return {
        "label": statement.label,
        "stem": statement.stem,
        "title": statement.title,
        "printed": result.side("printed"),
        "corrected": result.side("corrected"),
        **{key: first.get(key) for key in ("relation", "measured", "claimed", "error", "kind")},
        "headlines": headlines,
        "claims": {claim.name: result.verdict(claim) for claim in statement.claims},
        "points": [
            {"number": claim.point, "claim": claim.name, "text": claim.text, "verdict": result.verdict(claim)}
            for claim in statement.claims
            if claim.point is not None
        ],
        "controls": [
            {
                "claim": claim.name,
                "name": control.name,
                "because": control.because,
                "expect": control.expect,
                "verdict": outcome.verdict,
                "caught": control.caught(outcome.verdict),
            }
            for claim in statement.claims
            for control, outcome in result.controls_of(claim)
        ],
        "evidence": [
            {"claim": claim.name, **evidence_record(e)} for claim in statement.claims for e in result.of(claim).evidence
        ],
        "seconds": round(result.seconds, 3),
    }


def run_record(results: Sequence[Result], options: Options) -> Record:
    """A whole run, as `byzcheck verify --json` gives it. Only the seconds depend on anything but the options."""
    return {
        "schema": SCHEMA,
        "versions": versions(),
        "backend": options.backend,
        "budget": options.budget,
        "seed": options.seed,
        "false_alarm": false_alarm(results),
        "statements": [statement_record(result) for result in results],
    }


def rounded(value: Any, digits: int) -> Any:
    """`value` with every float in it rounded to so many significant digits, arrays and tuples as lists.

    >>> rounded({"b": (1.23456, 7), "a": float("inf")}, 3)
    {'b': [1.23, 7], 'a': 'inf'}
    """
    if isinstance(value, Mapping):
        return {str(key): rounded(item, digits) for key, item in value.items()}
    if hasattr(value, "tolist"):  # arrays and their scalars
        value = value.tolist()
    if isinstance(value, list | tuple | range):
        return [rounded(item, digits) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    plain = number(value)
    return float(f"{plain:.{digits}g}") if isinstance(plain, float) else plain


def recorded(results: Sequence[Result], options: Options) -> Record:
    """What is kept of a run: verdicts, and for each claim the one item that speaks for it, to three digits."""
    return {
        "schema": SCHEMA,
        "backend": options.backend,
        "budget": options.budget,
        "seed": options.seed,
        "statements": {result.statement.stem: rounded(_kept(result), 3) for result in results},
    }


def _kept(result: Result) -> Record:
    record = statement_record(result)
    spokesmen = [(claim.name, headline(list(result.of(claim).evidence))) for claim in result.statement.claims]
    evidence = [{"claim": name, **evidence_record(e)} for name, e in spokesmen if e is not None]
    points = [{key: point[key] for key in ("number", "claim", "verdict")} for point in record["points"]]
    dropped = ("stem", "controls", "seconds")
    return {key: value for key, value in record.items() if key not in dropped} | {
        "points": points,
        "evidence": evidence,
    }


def as_text(record: Any) -> str:
    """`record` as JSON for files: sorted keys, rows of numbers on one line, the same text for the same content."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    rows = re.compile(r"\[\n\s+(-?\d[^\[\]{}\"]*?)\n\s*\]")  # no string can match: none holds a bare line break
    return rows.sub(lambda row: "[" + re.sub(r"\s*\n\s*", " ", row[1]) + "]", text) + "\n"
