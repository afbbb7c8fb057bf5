"""What an attacker sees, as tests need it."""

from __future__ import annotations

import numpy as np

from sims.aggregators import Mean
from sims.attacks import View


def drawn(*shape, seed=0):
    """Standard normal numbers."""
    return np.random.Generator(np.random.Philox(seed)).normal(size=shape)


def view(honest, f, last=None, t=1):
    """Of honest messages (..., g, d), with f others that are 0, and the mean for a rule."""
    x = np.zeros((*honest.shape[:-2], honest.shape[-1]))
    own = np.zeros((*honest.shape[:-2], f, honest.shape[-1]))
    return View(honest, own, honest, own, x, x if last is None else last, Mean().aggregate, t)
