"""Networks bring gradients and nothing else: rules, attacks, momenta and rounds are those of all simulations."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

NEURAL = Path(__file__).parents[1] / "sims" / "neural"
ELSEWHERE = {  # whoever is made of these, or writes them anew, would be a second implementation
    "Rule",
    "StatelessRule",
    "Attack",
    "Optimizer",
    "Algorithm",
    "Experiment",
    "Record",
}
TRAINERS = ("torch.optim", "torch.utils.data", "torchvision", "sims.aggregators", "sims.attacks", "sims.optimizers")


def second_implementations(text: str) -> list[str]:
    """What a module has that belongs elsewhere."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            found += [ast.unparse(base) for base in node.bases if ast.unparse(base).rpartition(".")[2] in ELSEWHERE]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found += [node.module for name in TRAINERS if f"{node.module}.".startswith(f"{name}.")]
            found += [f"{node.module}.{one.name}" for one in node.names if f"{node.module}.{one.name}" in TRAINERS]
        elif isinstance(node, ast.Import):
            found += [one.name for one in node.names for name in TRAINERS if f"{one.name}.".startswith(f"{name}.")]
        elif isinstance(node, ast.Attribute) and ast.unparse(node) in TRAINERS:
            found.append(ast.unparse(node))
    return found


def test_networks_implement_no_rule_attack_optimizer_or_loop():
    modules = sorted(NEURAL.rglob("*.py"))
    assert len(modules) > 15
    assert {str(path): found for path in modules if (found := second_implementations(path.read_text("utf-8")))} == {}


@pytest.mark.parametrize(
    "text",
    [
        "class Median(Rule): pass",
        "class Median(rule.StatelessRule): pass",
        "from torch.optim import SGD",
        "from torch import optim",
        "import torch.optim.sgd",
        "import torch\nstep = torch.optim.SGD",
        "from sims.attacks import BitFlipping",
        "from torch.utils.data import DataLoader",
    ],
)
def test_a_second_one_is_noticed(text):
    assert second_implementations(text) != []


def test_what_is_its_own_is_not():
    text = "import torch\nfrom sims.problems import Stateful\nclass Images(Stateful): pass\nx = torch.nn.Linear"
    assert second_implementations(text) == []
