"""What a theorem needs to know: of a rule, and of the problem that it is to be used on."""

from __future__ import annotations

from dataclasses import dataclass

from sims.aggregators import CenteredClipping
from sims.checked import flag, keep, real, told, whole

Bracket = tuple[float, float | None]  # what was found to be needed, and what is proved to be enough, if anything is
PARTS = ("T", "sigma", "L", "F0")


@dataclass(frozen=True)
class Budget:
    """What a bound is asked for: T rounds, gradients of variance σ², smoothness L, f(x_0) − f* = F0; all positive."""

    T: int
    sigma: float
    L: float
    F0: float

    def __post_init__(self) -> None:
        keep(self, whole, "T", least=1)
        keep(self, real, "sigma", "L", "F0", least=1e-30, most=1e30)

    @classmethod
    def of(cls, text: str) -> Budget:
        """From what is written on a command line.

        >>> Budget.of("T=1000,sigma=1,L=2,F0=0.5")
        Budget(T=1000, sigma=1.0, L=2.0, F0=0.5)
        """
        pairs = [part.partition("=") for part in text.split(",")]
        given = {name.strip(): value.strip() for name, _, value in pairs}
        if len(given) != len(pairs) or given.keys() != set(PARTS):
            raise ValueError(f"a bound needs T=…,sigma=…,L=…,F0=…, got {text!r}")
        try:
            numbers = {name: float(value) for name, value in given.items()}
            rounds = int(numbers["T"])
        except (ValueError, OverflowError):
            raise ValueError(f"a bound needs numbers for T, sigma, L and F0, got {text!r}") from None
        if rounds != numbers["T"]:
            raise ValueError(f"a bound needs a whole number T of rounds, got T = {given['T']}")
        return cls(rounds, numbers["sigma"], numbers["L"], numbers["F0"])

    @property
    def standing_still(self) -> float:
        """2LF0, which ‖∇f(x_0)‖² does not exceed."""
        return 2 * self.L * self.F0


@dataclass(frozen=True)
class Facts:
    """What is known of a rule with n workers of which f are Byzantine.

    `kappa` and `c` are (found, proved): a lower bound by search, ∞ where no constant is enough, and an upper bound, or
    None. `c` is Definition C's, for independent messages; give None where nothing was measured. `invariant`: the order
    of the messages changes nothing. `clipping` is the rule if it clips around a centre, with its ρ and B if these are
    known.
    """

    n: int
    f: int
    invariant: bool
    kappa: Bracket | None = None
    c: Bracket | None = None
    clipping: CenteredClipping | None = None
    rho: float | None = None
    start: float | None = None

    def __post_init__(self) -> None:
        keep(self, whole, "n", least=1)
        keep(self, whole, "f", least=0)
        if 2 * self.f >= self.n:
            raise ValueError(f"Facts needs 0 ≤ f < n/2, got n = {self.n}, f = {self.f}")
        keep(self, flag, "invariant")
        keep(self, real, "rho", optional=True, above=0)
        keep(self, real, "start", optional=True, least=0)
        for name in ("kappa", "c"):
            if (pair := getattr(self, name)) is not None:
                object.__setattr__(self, name, _bracket(name, pair))

    @property
    def g(self) -> int:
        """Honest workers."""
        return self.n - self.f

    @property
    def delta(self) -> float:
        """δ = f/n."""
        return self.f / self.n


def _bracket(name: str, pair: Bracket) -> Bracket:
    """(found, proved), found ≤ proved."""
    if not isinstance(pair, tuple) or len(pair) != 2:
        raise ValueError(f"Facts needs {name} = (found, proved or None), got {name} = {told(pair)}")
    low = real("Facts", f"{name} found", pair[0], least=0, finite=False)
    high = None if pair[1] is None else real("Facts", f"{name} proved", pair[1], least=0)
    if high is not None and low > high * (1 + 1e-9):
        raise ValueError(f"Facts needs found ≤ proved, got {name} = ({low:g}, {high:g})")
    return low, high
