"""Results as plain dictionaries: what `--json` prints, what is recorded, and whether two of them contradict each other."""

from __future__ import annotations

import importlib.metadata
import json
import math
import numbers
import platform
import re
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from theory.run import Options, Result, false_alarm
from theory.statement import BUDGETS, Evidence

SCHEMA = 1
PACKAGES = ("byzcheck", "numpy", "scipy", "python-flint", "array-api-compat")
FALLIBLE = ("searched", "sampled")  # evidence that a smaller budget may leave undecided

Record = dict[str, Any]


def number(value: Any) -> int | float | str:
    """A number as JSON can hold it: an int, a finite float, or "inf", "-inf", "nan"."""
    if isinstance(value, numbers.Integral):
        return int(value)
    try:
        real = float(value)
    except OverflowError:  # a Fraction beyond the largest float
        real = math.copysign(math.inf, value)
    return real if math.isfinite(real) else str(real)


def versions() -> dict[str, str]:
    """What the numbers of a run were computed with."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found


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
    statement, spokesman = result.statement, result.headline
    first = {} if spokesman is None else evidence_record(spokesman)
    return {
        "label": statement.label,
        "stem": statement.stem,
        "title": statement.title,
        "printed": result.side("printed"),
        "corrected": result.side("corrected"),
        **{key: first.get(key) for key in ("relation", "measured", "claimed", "error", "kind")},
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


def to_recorded(run: Record) -> Record:
    """The part of a run's record that is kept: verdicts, and for each claim the one item that speaks for it."""
    kept = {key: run[key] for key in ("schema", "backend", "budget", "seed")}
    return kept | {"statements": {s["stem"]: rounded(_recorded_statement(s), 3) for s in run["statements"]}}


def _recorded_statement(record: Record) -> Record:
    keys = ("label", "title", "printed", "corrected", "relation", "measured", "claimed", "error", "kind", "claims")
    speaks: dict[str, Record] = {}
    for item in record["evidence"]:
        best = speaks.get(item["claim"])
        if best is None or _weight(item) < _weight(best):
            speaks[item["claim"]] = item
    points = [{key: point[key] for key in ("number", "claim", "verdict")} for point in record["points"]]
    return {key: record[key] for key in keys} | {"points": points, "evidence": list(speaks.values())}


def _weight(item: Record) -> tuple[bool, float]:
    """Contradictions first, then the tightest."""
    measured, claimed = float(item["measured"]), float(item["claimed"])
    ratio = measured > 0 and claimed > 0 and math.isfinite(measured) and math.isfinite(claimed)
    return item["verdict"] != "refuted", abs(math.log(measured) - math.log(claimed)) if ratio else math.inf


def as_text(record: Any) -> str:
    """`record` as JSON for files: sorted keys, rows of numbers on one line, the same text for the same content."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    rows = re.compile(r"\[\n\s+(-?\d[^\[\]{}\"]*?)\n\s*\]")  # no string can match: none holds a bare line break
    return rows.sub(lambda row: "[" + re.sub(r"\s*\n\s*", " ", row[1]) + "]", text) + "\n"


def contradictions(run: Record, recorded: Record, stems: Iterable[str] | None = None) -> list[str]:
    """How a fresh run contradicts the recorded verdicts, a sentence each; empty where it does not.

    Under a smaller budget than the recorded one a claim of sampled or searched evidence may fall to undecided; under other
    options than the recorded ones an undecided record binds nothing. `stems` (all that exist) asks for no stale row.
    """
    old = recorded["statements"]
    same = all(run[key] == recorded[key] for key in ("budget", "seed", "backend"))
    smaller = BUDGETS[run["budget"]] < BUDGETS[recorded["budget"]]
    found = [f"{stem}: recorded, but no longer a statement" for stem in old if stems is not None and stem not in stems]
    for fresh in run["statements"]:
        if fresh["stem"] not in old:
            found.append(f"{fresh['stem']}: not recorded")
            continue
        found += [f"{fresh['stem']}: {how}" for how in _differences(fresh, old[fresh["stem"]], same, smaller)]
    claims = [verdict for s in run["statements"] for verdict in s["claims"].values()]
    if all(verdict == "undecided" for verdict in claims):
        found.append("every claim is undecided: the run says nothing")
    return found


def _differences(fresh: Record, old: Record, same: bool, smaller: bool) -> Iterable[str]:
    fallible = {e["claim"] for e in fresh["evidence"] if e["kind"] in FALLIBLE}
    excused = False
    for claim in sorted(fresh["claims"].keys() | old["claims"].keys()):
        now, then = fresh["claims"].get(claim), old["claims"].get(claim)
        if now == then:
            continue
        if now is None or then is None:
            yield f"claim {claim}: {'not recorded' if then is None else 'recorded, but no longer made'}"
        elif (smaller and now == "undecided" and claim in fallible) or (not same and then == "undecided"):
            excused = True
        else:
            yield f"claim {claim}: recorded {then}, now {now}"
    for side in ("printed", "corrected"):
        now, then = fresh[side], old[side]
        if now != then and not (excused and "undecided" in (now, then)):
            yield f"as {side}: recorded {then or 'nothing'}, now {now or 'nothing'}"


def three(value: Any, digits: int = 3) -> str:
    """A number in three significant digits, as a person writes it.

    >>> [three(v) for v in (1360, 0.104166, 1.25e-7, Fraction(3, 4), "inf", None)]
    ['1360', '0.104', '1.25e-7', '0.75', '∞', '—']
    """
    if value is None:
        return "—"
    real = float(value) if isinstance(value, str) else float(number(value))
    if not math.isfinite(real):
        return {"inf": "∞", "-inf": "−∞"}.get(str(real), "NaN")
    short = float(f"{real:.{digits}g}")
    plain = short == 0 or 1e-3 <= abs(short) < 1e6
    text = f"{short:.{max(digits, 6)}g}" if plain else f"{short:.{digits - 1}e}"
    mantissa, _, exponent = text.partition("e")
    if exponent:
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−") if not exponent else text.replace("-", "−", 1) if real < 0 else text
