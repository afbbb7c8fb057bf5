"""The code in docs/ does what its page says."""

from __future__ import annotations

import importlib.util
import re
import sys
import types
from pathlib import Path

import pytest

from byzcheck.card import card_of
from sims.aggregators import Krum
from sims.contracts import check_rule

DOCS = Path(__file__).parents[1] / "docs"
AUDIT = (DOCS / "audit.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page():
    """All blocks of the page as one module."""
    module = types.ModuleType("page_on_audits")
    sys.modules[module.__name__] = module
    for library, block in re.findall(r"```python( torch)?\n(.*?)```", AUDIT, re.DOTALL):
        if not library or importlib.util.find_spec("torch"):
            exec(compile(block, "docs/audit.md", "exec"), vars(module))
    yield module
    del sys.modules[module.__name__]


def test_every_example_of_the_page_on_audits_keeps_its_contracts(page):
    marks = [mark for mark in page.test_trimmed.pytestmark if mark.name == "parametrize"]
    assert len(marks[0].args[1]) == 9
    for case in marks[0].args[1]:
        part, contract = case.values
        contract(part)
    check_rule(page.Clip(2.0), 7, 3)


def test_the_card_on_the_page_is_the_card(page):
    """But for the clock's line, and where lines are broken."""
    shown = " ".join(AUDIT.split())
    for line in card_of(Krum(5), 25, 5).lines:
        if line.how != "measured":
            words = [word for word in f"{line.says} {line.against}".split() if len(word) > 6]
            assert all(word in shown for word in words), line
