"""Every faulty rule is caught, with whatever n and seed it is asked about, and no sound one is condemned.

Every faulty rule at every n from 5 to 30 with one of 200 seeds; `make zoo` is the long form, `pytest
tests/test_zoo_of_rules.py --seeds 200`, with all of them. Both print how often the contracts went wrong, in either
direction.
"""

from __future__ import annotations

import zlib

import numpy as np
import pytest
from faulty_rules import FAULTY
from faulty_users import OwnThatDraws
from sound_rules import SOUND

from sims.by_name import examples
from sims.contracts import ARRAY_PARAMETERS, check_rule, contracts_for, examined

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


def asked(fault, request):
    """(n, seed): every n, with as many of the seeds as are asked for or one; three n where laws are to be compared."""
    rng, count = draw(fault.name), request.config.getoption("seeds")
    cases = [(n, int(seed)) for n in SIZES for seed in rng.choice(SEEDS, size=min(count or 1, SEEDS), replace=False)]
    costly = not count and isinstance(fault.make(5, 1), OwnThatDraws)
    return [cases[k] for k in sorted(rng.choice(len(cases), 3, replace=False))] if costly else cases


def family(contract):
    """A contract without what it says of the case: "array parameter" of "array parameter tau"."""
    return "array parameter" if contract.startswith("array parameter") else contract.partition(" (")[0]


def promised(fault):
    """The contracts of which a faulty rule breaks one."""
    several = [f"array parameter {name}" for name in ARRAY_PARAMETERS]
    return several if fault.promise == "array parameter" else [fault.promise]


@pytest.mark.parametrize("fault", FAULTY, ids=lambda fault: fault.name)
def test_a_faulty_rule_breaks_its_promise_at_every_n(fault, request, record_property):
    """The search is the part of `check_rule`'s that is about the promise, so that what is found also names it."""
    cases, escaped, like = asked(fault, request), [], likes(fault.like)
    for n, seed in cases:
        search = examined(fault.make(n, declared(n)), n, 3, seed, like, only=promised(fault), shrink=False)
        if not any(one.violation for one in search):
            escaped.append((n, seed))
    record_property("zoo", ["faulty rules that escaped", len(escaped), len(cases)])
    assert not escaped, f"{fault.name} ({fault.why}) escapes at (n, seed) = {escaped[:20]}"


def test_what_is_searched_first_is_raised():
    fault = next(fault for fault in FAULTY if fault.name == "leans_by_the_spread")
    with pytest.raises(AssertionError, match="contract 'oddness' broken by leans_by_the_spread") as raised:
        check_rule(fault.make(7, 1), 7, d=3, seed=5)
    found = [one.violation.contract for one in examined(fault.make(7, 1), 7, 3, 5) if one.violation]
    assert raised.value.contract == found[0]


@pytest.mark.parametrize("name", dict.fromkeys(sound.name for sound in SOUND))
def test_a_sound_rule_is_not_condemned(name, request, record_property):
    """In one of the libraries and types that it is there in, for few workers; in the long form in all, at some n.

    The long form has fewer seeds than there are.
    """
    rng, count = draw(name), request.config.getoption("seeds")
    workers = (3, 5, 6, 8, 11, 16) if count else (3, 5)
    places = [(sound, n, d) for sound in SOUND if sound.name == name for n in workers for d in (1, 3)]
    places = [(sound, n, d) for sound, n, d in places if sound.make(n, (n - 1) // 4) is not None]
    places = places if count else [places[rng.integers(len(places))]]
    condemned, asked = [], 0
    for sound, n, d in places:
        for seed in rng.choice(SEEDS, size=min(-(-count // 10) or 1, SEEDS), replace=False):
            asked += 1
            try:
                check_rule(sound.make(n, (n - 1) // 4), n, d, int(seed), likes(sound.library, sound.dtype))
            except AssertionError as error:
                condemned.append((str(sound), n, d, int(seed), str(error)))
    record_property("zoo", ["sound rules that were condemned", len(condemned), asked])
    assert not condemned, f"{name} is condemned {len(condemned)} times, first as {condemned[0]}"


def test_every_promise_is_broken_grossly_and_subtly():
    """A contract that comes later needs its two faulty rules, too."""
    cases = [(rule, n) for n, f in ((9, 1), (9, 0)) for rule in examples(n, f).values()]
    owed = {family(name) for rule, n in cases for name, _ in contracts_for(rule, n, 3)}
    broken = {(family(fault.promise), fault.how) for fault in FAULTY}
    assert {(name, how) for name in owed for how in ("gross", "subtle")} <= broken


def test_the_zoo_is_as_large_as_it_says():
    assert len({fault.name for fault in FAULTY}) == len(FAULTY) >= 100
    assert len({str(sound) for sound in SOUND}) == len(SOUND) >= 24
