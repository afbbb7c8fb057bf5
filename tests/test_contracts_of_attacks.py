"""Every attack keeps what an attack owes, and what it owes catches the attack that breaks it."""

from __future__ import annotations

import numpy as np
import pytest
from faulty_attacks import FAULTY

from sims.attacks import (
    ALittleIsEnough,
    InnerProductManipulation,
    LabelFlipping,
    Mimic,
    NoAttack,
    Relocation,
    SearchedStrength,
)
from sims.by_name import ATTACKS
from sims.contracts import check_attack, contracts_for_attack

SOUND = [attack.example(7, 2) for attack in ATTACKS]
SOUND += [Mimic(worker=1), Mimic(warm_up=2), SearchedStrength("deviation"), LabelFlipping("messages")]
SOUND += [Relocation(2.0, mix=0.5, reference=0.5), Relocation(1.0, direction=(1.0, 2.0, 0.0)), ALittleIsEnough(z=1.5)]


@pytest.mark.parametrize("attack", SOUND, ids=repr)
def test_every_attack_keeps_its_contracts(attack):
    check_attack(attack, 7, 2, 3)


@pytest.mark.parametrize("make_array", ["array-api-strict", "torch"], indirect=True)
@pytest.mark.parametrize("attack", SOUND[: len(ATTACKS)], ids=repr)
def test_every_attack_keeps_its_contracts_on_every_library(make_array, attack):
    for _, check in contracts_for_attack(attack, 7, 2, 3, like=make_array(np.zeros(1))):
        check(attack)


@pytest.mark.parametrize(("contract", "make"), FAULTY, ids=[f"{name}-{one.__name__}" for name, one in FAULTY])
def test_a_faulty_attack_is_caught_with_any_seed(contract, make):
    for seed in range(20):
        with pytest.raises(AssertionError, match=rf"^contract '.*' broken by .*{make.__name__}"):
            check_attack(make(), 7, 2, 3, seed=seed)
    assert contract in {found.partition("'")[2].partition("'")[0] for found in broken(make())}


def broken(attack):
    """What the contracts say, all of them, at the sizes that `check_attack` tries."""
    for n, f, d in ((7, 2, 3), (8, 2, 3), (7, 2, 2)):
        try:
            checks = list(contracts_for_attack(attack, n, f, d, like=np.zeros(1, dtype=np.float32)))
        except ValueError as error:
            yield f"'require' {error}"
            continue
        for _, check in checks:
            try:
                check(attack)
            except AssertionError as error:
                yield str(error)


def test_every_contract_has_an_attack_that_breaks_it():
    owed = {name for name, _ in contracts_for_attack(InnerProductManipulation())}
    owed = {name.removesuffix(" of a grid").removesuffix(" epsilon") for name in owed}
    assert owed == {name for name, _ in FAULTY}


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (
            lambda: check_attack(NoAttack, 7, 2, 3),  # pyright: ignore[reportArgumentType]
            "needs a sims Attack, got attack = <class",
        ),
        (lambda: check_attack(Mimic(), 2, 2, 3), "needs n ≥ 3, got n = 2"),
        (lambda: check_attack(Mimic(), 7, 0, 3), "needs f ≥ 1, got f = 0"),
        (lambda: check_attack(Mimic(worker=5), 7, 2, 3), "Mimic needs worker < n − f"),
        (lambda: check_attack(InnerProductManipulation((0.1, 0.2)), 7, 2, 3), "needs one value of epsilon"),
    ],
)
def test_what_cannot_be_checked_is_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
