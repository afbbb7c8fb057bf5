"""What a checked statement is made of: claims, each with its check and the controls of that check."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sims.checks.evidence import Evidence, Verdict

Side = Literal["printed", "corrected"]

BUDGETS: Mapping[str, float] = {"quick": 0.125, "default": 1.0, "full": 8.0}
FALSE_ALARM = 1e-6  # a whole run's probability of a wrong "refuted", at most
SHARE = 1e-9  # what each sampled interval takes of it


@dataclass
class Context:
    """What a check may depend on: the budget, the seed and the array library. Everything else it computes."""

    stem: str
    claim: str
    budget: str = "default"
    seed: int = 0
    backend: str = "numpy"
    intervals: int = field(default=0, init=False)

    @property
    def alpha(self) -> float:
        """The false-alarm probability of one sampled interval; each reading takes one share of the run's budget."""
        self.intervals += 1
        return SHARE

    def scaled(self, count: int) -> int:
        """`count` samples or evaluations at the default budget, an eighth of them when quick, eight times when full."""
        return max(1, round(count * BUDGETS[self.budget]))

    def stream(self, purpose: str) -> tuple[int, str]:
        """(seed, purpose) for `sims.engine.streams.Streams`, distinct for every claim."""
        return self.seed, f"{self.stem}/{self.claim}/{purpose}"

    def asarray(self, values: Any) -> Any:
        """`values` in float64 on the chosen backend."""
        from sims.backend import get_namespace

        xp = get_namespace(self.backend)
        return xp.asarray(np.asarray(values, dtype=np.float64))


Check = Callable[..., Iterable[Evidence]]


@dataclass(frozen=True)
class Control:
    """The same check with a replaced claim or component, and what must come of it.

    A claim that stands is controlled by variants that must be refuted; a claim that is refuted also by a variant that
    must survive, so that refuting is not the check's habit.
    """

    name: str
    because: str
    replace: Mapping[str, Any]
    expect: Literal["refuted", "survives"] = "refuted"

    def caught(self, verdict: Verdict) -> bool:
        """Whether the verdict of the replaced check is the expected one."""
        return verdict == "refuted" if self.expect == "refuted" else verdict in ("holds", "supported")


@dataclass(frozen=True)
class Claim:
    """One claim: a sentence, what it decides, the check that settles it and the controls of that check.

    A claim is a part of the printed statement, of the corrected one, or of both; only parts decide a verdict. A claim
    that is part of neither is an *illustration* (an instance, a sample, a run): it is shown and controlled, and never
    demotes. `point` is the number of the open point that it settles, if any.

    A claim that stands is expected to be near what is measured: with its claimed side a quarter nearer some evidence
    refutes it. One that is not so says in `loose` why, and then needs a control that changes what is *measured*, by a
    dropped assumption or a replaced component (`tests/test_checks_can_fail.py`).
    """

    name: str
    text: str
    check: Check
    controls: tuple[Control, ...]
    part_of: tuple[Side, ...] = ()
    point: int | None = None
    loose: str | None = None  # why the claimed side is far from what is measured

    def __post_init__(self) -> None:
        if not self.controls:
            raise ValueError(f"claim {self.name} has no control: a check that cannot fail is a defect")

    def __call__(self, ctx: Context, **replace: Any) -> Iterable[Evidence]:
        """The evidence of its check, with what a control replaces."""
        return self.check(ctx, **replace)

    @property
    def about(self) -> str:
        """What it decides, as a person says it.

        >>> Claim("a", "text", lambda ctx: (), (Control("b", "c", {}),), ("printed", "corrected"), point=3).about
        'printed, corrected, point 3'
        """
        point = () if self.point is None else (f"point {self.point}",)
        return ", ".join((*self.part_of, *point)) or "illustration"


def claim(
    text: str,
    *,
    controls: Iterable[Control],
    part_of: Side | tuple[Side, ...] = (),
    point: int | None = None,
    loose: str | None = None,
) -> Callable[[Check], Claim]:
    """Make the check below a claim of its name.

    `@claim("The sum is 3.", part_of="printed", controls=[Control(…)])` stands directly above `def sum_is_three(ctx,
    …)`. The claim can be called as the function could.
    """
    sides = (part_of,) if isinstance(part_of, str) else part_of

    def make(check: Check) -> Claim:
        made = Claim(check.__name__, text, check, tuple(controls), sides, point, loose)
        object.__setattr__(made, "__doc__", check.__doc__)
        return made

    return make


@dataclass(frozen=True)
class Source:
    """Where a printed text stands: the section, and its words in the paper's text as far as they carry the statement.

    `kind`: "main" text; "garbled", main text that lost symbols in the text that we have; "appendix", which nobody here
    has seen. `note` says what was read into it.
    """

    kind: Literal["main", "garbled", "appendix"]
    section: str
    quote: str
    note: str = ""


@dataclass(frozen=True)
class Fault:
    """What is wrong with a statement as printed, and how serious that is, with a sentence of reason.

    "wording": an edge case, a misprint, an index, a slip that the paper contradicts itself; "constant": true with
    another constant; "hypothesis": true under a hypothesis that is missing, named in `lacks`; "substance": false in
    what it says.
    """

    severity: Literal["wording", "constant", "hypothesis", "substance"]
    because: str
    lacks: str | None = None

    def __post_init__(self) -> None:
        if (self.severity == "hypothesis") != (self.lacks is not None):
            raise ValueError(f"a fault names what it lacks exactly when a hypothesis is missing, got {self.severity}")


@dataclass(frozen=True)
class Statement:
    """A numbered statement of the paper with its claims. `data` computes what its figure draws.

    A statement of this suite's own, beyond the paper, has no `printed` text and no `source`, and its own text in
    `corrected`. `says` and `says_corrected` are one line each that mean something alone; `for_you` is what follows for
    who uses the statement; `rests_on` says what the proof of the corrected statement rests on, or what it lacks. These
    are Markdown with formulas in LaTeX between dollars. `proofs` names the files of its proofs (`theory/proof.py`), in
    the order in which one reads them. `uses` names the entries of `theory/sources.bib` that its checks, proofs and
    methods go back to, beside the paper.
    """

    stem: str
    label: str
    title: str
    printed: str | None
    corrected: str | None
    claims: tuple[Claim, ...]
    says: str | None = None
    says_corrected: str | None = None
    for_you: str = ""
    rests_on: str = ""
    source: Source | None = None
    fault: Fault | None = None
    data: Callable[[Context], dict[str, Any]] | None = None
    proofs: tuple[str, ...] = ()
    uses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        names = [claim.name for claim in self.claims]
        if len(set(names)) != len(names):
            raise ValueError(f"{self.stem}: claim names must differ, got {', '.join(names)}")
        if self.ours and (self.corrected is None or self.parts("printed") or self.source or self.fault):
            raise ValueError(f"{self.stem}: without a printed text it needs a corrected one, and nothing of the print")

    @property
    def ours(self) -> bool:
        """Whether the paper has no such statement."""
        return self.printed is None

    def parts(self, side: Side) -> list[Claim]:
        """The claims that decide the verdict of a side."""
        return [claim for claim in self.claims if side in claim.part_of]
