"""How settings, measures and numbers of a sweep are written in a figure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from figures.style import RULES, power
from sims.sweep.pivot import shown

SYMBOLS = {  # path → symbol, and what it is
    "t": ("t", "round"),
    "steps": ("T", "rounds"),
    "n": ("n", "workers"),
    "f": ("f", "attackers"),
    "delta": ("δ", "share of attackers"),
    "x0": ("x_0", "start"),
    "rule.tau": ("τ", "clipping radius"),
    "rule.nu": ("ν", "smoothing"),
    "rule.f": ("declared f", ""),
    "rule.m": ("m", "messages that are averaged"),
    "optimizer.beta": ("β", "momentum"),
    "optimizer.alpha": ("α", "MVR's weight"),
    "optimizer.learning_rate": ("η", "learning rate"),
    "attack.epsilon": ("ε", "strength of the attack"),
    "attack.z": ("z", "strength of the attack"),
    "problem.sigma_sq": ("σ²", "noise"),
    "problem.dim": ("d", "dimension"),
    "problem.mu": ("μ", "strong convexity"),
    "problem.L": ("L", "smoothness"),
}
MEASURES = {
    "excess": "f(x) − f*",
    "sq_gradient_norms": "‖∇f(x)‖²",
    "sq_distances": "‖x − x*‖²",
    "sq_aggregate_errors": "‖aggregate − honest mean‖²",
}
SHORT = {"InnerProductManipulation": "inner product"} | {
    name: name for name in ("Bernoulli", "Huber", "Pareto", "Rademacher")
}
HINTED = 1.03  # letters on a grid of pixels are a little wider than they are drawn in the font
LONGEST = 34  # letters of a label


def axis(path: str) -> str:
    """A label of an axis: the symbol and what it is.

    >>> axis("rule.tau"), axis("problem.gap_size")
    ('τ, clipping radius', 'gap size of the problem')
    """
    if path in SYMBOLS:
        return ", ".join(filter(None, SYMBOLS[path]))
    part, point, name = path.partition(".")
    return plain(f"{name.replace('_', ' ')} of the {part}" if point else part)


def measure(name: str) -> str:
    """A measure in the field's notation."""
    return MEASURES.get(name) or plain(name.replace("_", " "))


def symbol(path: str) -> str:
    """The shortest name of a setting."""
    return SYMBOLS[path][0] if path in SYMBOLS else plain(path.rpartition(".")[2].replace("_", " "))


def value(path: str, setting: Any) -> str:
    """A setting's value where its path need not be said.

    >>> value("rule", "CenteredClipping"), value("attack", "ALittleIsEnough"), value("optimizer", "WorkerMVR")
    ('centered clipping', 'a little is enough', 'worker MVR')
    >>> value("rule.tau", 1e-05), value("attack", "my.file:BadNews")
    ('10⁻⁵', 'BadNews')
    """
    if isinstance(setting, bool) or setting is None:
        return shown(setting)
    if isinstance(setting, int | float):
        return number(setting)
    if path == "rule" and setting in RULES:
        return RULES[setting].name.partition(",")[0]
    name = setting.rpartition(":")[2]
    if "." in path or ":" in setting:
        return plain(cut(name, LONGEST))
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).split()
    return SHORT.get(name) or plain(
        " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words)
    )


def settings(given: Mapping[str, Any]) -> str:
    """Several settings in one label: names of parts as they are, others with their symbol; None is left out.

    >>> settings({"rule": "Krum", "rule.tau": None, "optimizer.beta": 0.9})
    'Krum, β = 0.9'
    """
    said = [
        value(path, setting)
        if isinstance(setting, str) and "." not in path
        else f"{symbol(path)} = {value(path, setting)}"
        for path, setting in given.items()
        if setting is not None
    ]
    return ", ".join(said)


def number(real: float) -> str:
    """A number as a person writes it: a power of ten with its exponent raised.

    >>> [number(x) for x in (0.25, 12000, 1e-7, 2.5e8, 1e6, float("inf"), 0)]
    ['0.25', '12000', '10⁻⁷', '2.5·10⁸', '10⁶', '∞', '0']
    """
    if not math.isfinite(real):
        return "∞" if real > 0 else "−∞"
    if real == 0 or 1e-3 <= abs(real) < 1e5:
        return f"{real:.9g}".replace("-", "−")
    mantissa, exponent = f"{real:.3e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    tens = power(int(exponent))
    return tens if digits == "1" else f"{digits.replace('-', '−')}·{tens}"


def plain(text: str) -> str:
    """Words of a user, none of which is mathematics to matplotlib."""
    return text.replace("$", r"\$")


@cache
def width(text: str, size: float = 8, bold: bool = False) -> float:
    """How wide a line of text is, in inches."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight="bold" if bold else "normal", size=size)
    return HINTED * float(TextPath((0, 0), text, prop=font).get_extents().x1) / 72


def cut(text: str, letters: int) -> str:
    """The text, its end left out if it has more letters."""
    return text if len(text) <= letters else f"{text[: letters - 1]}…"


def fitted(text: str, inches: float, size: float) -> str:
    """The text, cut until it is no wider than this."""
    letters = len(text)
    while letters > 1 and width(cut(text, letters), size) > inches:
        letters -= 1
    return cut(text, letters)


def wrapped(text: str, inches: float, size: float, bold: bool = False) -> list[str]:
    """The text in lines that are no wider than this, where it has spaces enough."""
    lines: list[str] = []
    for word in text.split():
        if lines and width(f"{lines[-1]} {word}", size, bold) <= inches:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines
