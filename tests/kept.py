"""All contracts that a rule owes, each once on messages that are given: what `check_rule` searches, in a moment."""

from __future__ import annotations

from sims.contracts import contracts_for


def keeps_all(rule, x):
    """Raise the first violation on messages x (..., n, d)."""
    for _, check in contracts_for(rule, x.shape[-2], x.shape[-1]):
        check(rule, x)
