"""Results as plain dictionaries: what `--json` prints, what is recorded, and whether the two contradict each other."""

from __future__ import annotations

import dataclasses
import json
import math
import numbers
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from byzcheck.advice import Advice
from byzcheck.card import Card
from byzcheck.radius import Prescription
from byzcheck.run import Options, Result, false_alarm
from sims.backend import installed
from sims.checks.evidence import Evidence, headline
from sims.contracts import recorded
from theory.claim import BUDGETS, Side
from theory.proof import proofs_of

SCHEMA = 2  # of the run's record and of the recorded one: byzcheck/schema.json
SIDES: tuple[Side, ...] = ("printed", "corrected")
PACKAGES = ("byzcheck", "numpy", "scipy", "python-flint", "array-api-compat")

FALLIBLE = ("searched", "sampled")  # evidence that a smaller budget may leave undecided

Json = dict[str, Any]


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


def evidence_record(evidence: Evidence) -> Json:
    """One piece of evidence."""
    return {
        "what": evidence.what,
        "at": {key: value if isinstance(value, str) else number(value) for key, value in evidence.at.items()},
        "measured": number(evidence.measured),
        "relation": evidence.relation,
        "claimed": number(evidence.claimed),
        "error": number(evidence.error),
        "kind": evidence.kind,
        "covers": evidence.covers,
        "verdict": evidence.verdict,
    }


def statement_record(result: Result) -> Json:
    """A statement with everything that a run found out about it."""
    statement = result.statement
    return {
        "label": statement.label,
        "stem": statement.stem,
        "title": statement.title,
        "printed": result.side("printed"),
        "corrected": result.side("corrected"),
        "parts": {side: dict(zip(("stand", "of"), result.stand(side), strict=True)) for side in SIDES},
        "fault": None if statement.fault is None else dataclasses.asdict(statement.fault),
        "source": None if statement.source is None else dataclasses.asdict(statement.source),
        "says": {"printed": statement.says, "corrected": statement.says_corrected},
        "for_you": statement.for_you,
        "rests_on": statement.rests_on,
        "links": [
            {
                "proof": proof.file,
                "step": number,
                "title": step.title,
                "checked": [{"how": link.how, "claims": list(link.claims)} for link in step.links],
            }
            for proof in proofs_of(statement.stem, statement.proofs)
            for number, step in enumerate(proof.steps, start=1)
        ],
        "claims": {
            claim.name: {
                "text": claim.text,
                "verdict": result.verdict(claim),
                "part_of": list(claim.part_of),
                "point": claim.point,
            }
            for claim in statement.claims
        },
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


def run_record(results: Sequence[Result], options: Options) -> Json:
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


def card_record(card: Card, rule: str) -> Json:
    """The card of the rule that a person called `rule`, as `byzcheck audit --json` gives it."""
    return {
        "schema": SCHEMA,
        "versions": versions(),
        "rule": rule,
        "n": card.n,
        "f": card.f,
        "title": card.title,
        "flawed": card.flawed,
        "lines": [
            {name: getattr(line, name) for name in ("about", "says", "how", "against", "good", "witness")}
            for line in card.lines
        ],
        "contracts": [
            {
                "contract": one.contract,
                "tried": one.tried,
                "violation": None if one.violation is None else recorded(one.violation),
            }
            for one in card.contracts
        ],
        "theorems": [
            {
                "theorem": one.theorem,
                "applies": one.applies,
                "missing": one.missing,
                "says": one.says,
                "bound": None if one.bound is None else number(one.bound),
                "prescribes": {
                    name: [number(v) for v in value] if isinstance(value, tuple) else number(value)
                    for name, value in one.prescribes.items()
                },
            }
            for one in card.theorems
        ],
        "evidence": [evidence_record(e) for e in card.evidence],
    }


def prescription_record(found: Prescription) -> Json:
    """The radii of clipping as `byzcheck radius --json` gives them; null where nothing was asked or is known."""
    return (
        {"schema": SCHEMA, "versions": versions()}
        | {
            name: number(value) if isinstance(value, float | int) else value
            for name, value in dataclasses.asdict(found).items()
            if name != "steps"
        }
        | {
            "c": number(found.c),
            "at_rest": number(found.at_rest),
            "steps": [
                {name: number(value) for name, value in dataclasses.asdict(step).items()} for step in found.steps
            ],
        }
    )


def advice_record(found: Advice) -> Json:
    """What `byzcheck advise --json` gives; null where nothing is known."""
    return {"schema": SCHEMA, "versions": versions()} | rounded(dataclasses.asdict(found), 17)


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


def kept_record(results: Sequence[Result], options: Options) -> Json:
    """What is kept of a run: all but its seconds, and of each claim's evidence the one item that speaks for it.

    Versions stand with each statement: it may be written alone.
    """
    return {
        "schema": SCHEMA,
        "backend": options.backend,
        "budget": options.budget,
        "seed": options.seed,
        "statements": {result.statement.stem: _kept(result) for result in results},
    }


def _kept(result: Result) -> Json:
    record = statement_record(result)
    spokesmen = [(claim.name, headline(list(result.of(claim).evidence))) for claim in result.statement.claims]
    record["evidence"] = [{"claim": name, **evidence_record(e)} for name, e in spokesmen if e is not None]
    record["versions"] = versions()
    del record["seconds"]
    return record


def as_text(record: Any) -> str:
    """`record` as JSON for files: sorted keys, rows of numbers on one line, the same text for the same content."""
    text = json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, allow_nan=False)
    rows = re.compile(r"\[\n\s+(-?\d[^\[\]{}\"]*?)\n\s*\]")  # no string can match: none holds a bare line break
    return rows.sub(lambda row: "[" + re.sub(r"\s*\n\s*", " ", row[1]) + "]", text) + "\n"


def contradictions(run: Json, recorded: Json, stems: Iterable[str] | None = None) -> list[str]:
    """How a fresh run contradicts the recorded verdicts, a sentence each; empty where it does not.

    Under a smaller budget than the recorded one a claim of sampled or searched evidence may fall to undecided; under
    other options than the recorded ones an undecided record binds nothing. With `stems`, all that exist, a recorded
    statement that is not among them is told too.
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
    claims = [claim for s in run["statements"] for claim in s["claims"].values()]
    if all(claim["verdict"] == "undecided" for claim in claims):
        found.append("every claim is undecided: the run says nothing")
    return found


def _differences(fresh: Json, old: Json, same: bool, smaller: bool) -> Iterable[str]:
    fallible = {e["claim"] for e in fresh["evidence"] if e["kind"] in FALLIBLE}
    excused = False
    for claim in sorted(fresh["claims"].keys() | old["claims"].keys()):
        now, then = (record["claims"].get(claim, {}).get("verdict") for record in (fresh, old))
        if now == then:
            continue
        if now is None or then is None:
            yield f"claim {claim}: {'not recorded' if then is None else 'recorded, but no longer made'}"
        elif (smaller and now == "undecided" and claim in fallible) or (not same and then == "undecided"):
            excused = True
        else:
            yield f"claim {claim}: recorded {then}, now {now}"
    for side in SIDES:
        now, then = fresh[side], old[side]
        if now != then and not (excused and "undecided" in (now, then)):
            yield f"as {side}: recorded {then or 'nothing'}, now {now or 'nothing'}"
