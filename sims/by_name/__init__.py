"""Whatever goes by name: `register` has all there is, `made` makes it."""

from sims.by_name.made import (
    attack_by_name,
    check_setting,
    class_of,
    observer_by_name,
    optimizer_by_name,
    problem_by_name,
    reals,
    rule_by_name,
    takes,
)
from sims.by_name.nearest import nearest
from sims.by_name.own import of_module
from sims.by_name.register import (
    ATTACKS,
    OBSERVERS,
    OPTIMIZERS,
    PROBLEMS,
    REGISTER,
    RULES,
    examples,
    made_by_f,
    published,
)
from sims.by_name.settings import parse_settings

__all__ = [
    "ATTACKS",
    "OBSERVERS",
    "OPTIMIZERS",
    "PROBLEMS",
    "REGISTER",
    "RULES",
    "attack_by_name",
    "check_setting",
    "class_of",
    "examples",
    "made_by_f",
    "nearest",
    "observer_by_name",
    "of_module",
    "optimizer_by_name",
    "parse_settings",
    "problem_by_name",
    "published",
    "reals",
    "rule_by_name",
    "takes",
]
