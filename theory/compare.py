"""Whether fresh verdicts contradict the recorded ones."""

from __future__ import annotations

from collections.abc import Iterable

from theory.record import Record
from theory.statement import BUDGETS

FALLIBLE = ("searched", "sampled")  # evidence that a smaller budget may leave undecided


def contradictions(run: Record, recorded: Record, stems: Iterable[str] | None = None) -> list[str]:
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
