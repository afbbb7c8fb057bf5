"""Every faulty rule is caught, with whatever n and seed it is asked about, and no sound one is condemned.

`make zoo` is the long form, `pytest tests/test_zoo_of_rules.py --seeds 200`; both print how often either went wrong.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from faulty_rules import FAULTY
from faulty_users import OwnThatDraws
from sound_rules import SOUND

from sims.by_name import examples
from sims.contracts import ARRAY_PARAMETERS, check_rule, contracts_for, examined, violations

SIZES = range(5, 31)
SEEDS = 200  # of which the long form takes all


def likes(library, dtype="float64"):
    """An array of the library and type that messages are to have."""
    module = np if library == "numpy" else pytest.importorskip(library)
    return module.zeros(1, dtype=getattr(module, dtype))


def declared(n):
    """How many are declared Byzantine: fewer than a quarter, which most rules allow, and one at least."""
    return max(1, (n - 1) // 4)


def draw(name):
    """A generator of a rule's own."""
    return np.random.Generator(np.random.Philox(zlib.crc32(name.encode())))


def asked(name, request):
    """(n, seed) for every n, with as many of the seeds as are asked for, drawn without one of them coming twice."""
    rng, count = draw(name), request.config.getoption("seeds")
    return [(n, int(seed)) for n in SIZES for seed in rng.choice(SEEDS, size=min(count, SEEDS), replace=False)]


def family(contract):
    """A contract without what it says of the case: "array parameter" of "array parameter tau"."""
    return "array parameter" if contract.startswith("array parameter") else contract


def promised(fault):
    """The contracts that a faulty rule breaks at least one of."""
    return (
        [f"array parameter {name}" for name in ARRAY_PARAMETERS]
        if fault.promise == "array parameter"
        else [fault.promise]
    )


@pytest.mark.parametrize("fault", FAULTY, ids=lambda fault: fault.name)
def test_a_faulty_rule_is_caught_at_every_n(fault, request, record_property):
    """By the search for the contract that it breaks, which `check_rule` makes, too; by this itself in the long form."""
    like, escaped = likes(fault.like), []
    cases, every = asked(fault.name, request), request.config.getoption("seeds") > 1
    if isinstance(fault.make(5, 1), OwnThatDraws) and not every:
        cases = cases[:: len(cases) // 3]  # laws cost thousands of calls
    for n, seed in cases:
        if every:
            found = bool(first(fault.make(n, declared(n)), n, seed, like))
        else:
            only = promised(fault)
            search = examined(fault.make(n, declared(n)), n, 3, seed, like, only=only, shrink=False)
            found = any(one.violation for one in search)
        if not found:
            escaped.append((n, seed))
    record_property("zoo", ["faulty rules that escaped", len(escaped), len(cases)])
    assert not escaped, f"{fault.name} ({fault.why}) escapes at (n, seed) = {escaped[:20]}"


def first(rule, n, seed, like):
    """What `check_rule` raises."""
    try:
        check_rule(rule, n, 3, seed, like)
    except AssertionError as error:
        return error
    return None


@pytest.mark.parametrize("fault", FAULTY, ids=lambda fault: fault.name)
def test_what_is_found_names_the_broken_promise(fault):
    n = int(draw(fault.name).choice(SIZES))
    found = []
    for violation in violations(fault.make(n, declared(n)), n, d=3, seed=1, like=likes(fault.like)):
        found.append(violation.contract)
        if family(violation.contract) == family(fault.promise):
            return
    raise AssertionError(f"{fault.name} at n = {n} breaks {fault.promise!r} ({fault.why}); found are {found}")


@pytest.mark.parametrize("sound", SOUND, ids=str)
def test_a_sound_rule_is_not_condemned(sound, request, record_property):
    """In the short form at one n and d; in the long one at all of some n, and with every tenth as many seeds."""
    rng, seeds = draw(str(sound)), -(-request.config.getoption("seeds") // 10)
    sizes = [n for n in (3, 5, 6, 8, 11, 16) if sound.make(n, (n - 1) // 4) is not None]
    cases = [(n, d) for n in sizes for d in (1, 3)]
    if seeds == 1:
        cases = [cases[int(rng.integers(len(cases)))]]
    condemned = []
    for n, d in cases:
        for seed in rng.choice(SEEDS, size=min(seeds, SEEDS), replace=False):
            try:
                check_rule(sound.make(n, (n - 1) // 4), n, d, int(seed), likes(sound.library, sound.dtype))
            except AssertionError as error:
                condemned.append((n, d, int(seed), str(error)))
    record_property("zoo", ["sound rules that were condemned", len(condemned), len(cases) * seeds])
    assert not condemned, f"{sound} is condemned {len(condemned)} times, first at (n, d, seed) = {condemned[0]}"


def test_every_promise_is_broken_grossly_and_subtly():
    """A contract that comes later needs its two faulty rules, too."""
    cases = [(rule, n) for n, f in ((9, 1), (9, 0)) for rule in examples(n, f).values()]
    owed = {family(name) for rule, n in cases for name, _ in contracts_for(rule, n, 3)}
    broken = {(family(fault.promise), fault.how) for fault in FAULTY}
    assert {(name, how) for name in owed for how in ("gross", "subtle")} <= broken


def test_the_zoo_is_as_large_as_it_says():
    assert len({fault.name for fault in FAULTY}) == len(FAULTY) >= 100
    assert len({str(sound) for sound in SOUND}) == len(SOUND) >= 24
