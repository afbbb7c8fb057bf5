"""Formulas: LaTeX as MathML for a page, and as a line of Unicode for a terminal.

The line is read off the MathML, so that both say the same: fractions become quotients, with brackets where they are
needed, and a power is written with a raised digit where there is one (ρ², but (5δ)^l).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from typing import Any
from xml.etree import ElementTree

MACROS = {  # besides LaTeX's own; what is used often
    "E": r"\mathbb{E}",
    "P": r"\mathbb{P}",
    "R": r"\mathbb{R}",
    "Var": r"\operatorname{Var}",
    "clip": r"\operatorname{clip}",
    "avg": r"\operatorname{avg}",
    "median": r"\operatorname{median}",
    "Agg": r"\operatorname{AGG}",
    "good": r"\mathcal{G}",
    "bad": r"\mathcal{B}",
    "norm": r"\lVert #1 \rVert",
    "abs": r"\lvert #1 \rvert",
    "floor": r"\lfloor #1 \rfloor",
    "ceil": r"\lceil #1 \rceil",
    "eps": r"\varepsilon",
}

_APPLY = "\u2061"
_CHOOSE = "\ue000"  # begins what stands within the brackets of a binomial coefficient
_RAISED = str.maketrans("0123456789−+", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺")
_ACCENTS = {
    "¯": "\u0304",
    "‾": "\u0304",
    "̲": "\u0304",
    "^": "\u0302",
    "ˆ": "\u0302",
    "~": "\u0303",
    "˜": "\u0303",
    "˙": "\u0307",
}
_LETTERS = {"𝔼": "E", "ℙ": "P", "𝒢": "G", "ℬ": "B", "∑": "Σ", "∏": "Π", "∗": "*", "⋅": "·", "\ufe00": "", "\u2063": ""}
_LARGE = set("ΣΠ∫⋃⋂")
_VULGAR = {"1/2": "½", "1/3": "⅓", "2/3": "⅔", "1/4": "¼", "3/4": "¾", "1/8": "⅛", "3/8": "⅜", "5/8": "⅝", "7/8": "⅞"}
_ADDS = set("+−-±∓")
_RELATES = set("∣=≠<>≤≥≪≫≈≡∼∝∈∉⊂⊆⊇→←↦⇒⇐⇔⟹⟺⟸⟶∪∩∖∧∨×:≔≺≻⪯⪰≳≲⪅⪆⩽⩾")
_OPENS = set("([{⌊⌈⟨,;")
_SHORT = re.compile(r"[_^][^\W_]$|_[a-z]+$")  # ends in an index or a power of one letter, or an index of one word
_BEFORE = set("([{⌊⌈⟨,;·/√+−±∓ \n") | {_APPLY}  # after these a quotient needs no dot
_AFTER = set(")]}⌋⌉⟩,;.·/! \n") | {_APPLY}  # nor before these
_BARS = set("|‖")


class FormulaError(ValueError):
    """LaTeX that cannot be converted."""


@functools.cache
def _converter() -> Any:
    from math_core import LatexToMathML

    return LatexToMathML(macros=MACROS)


@functools.lru_cache(maxsize=4096)
def mathml(latex: str, display: bool = False) -> str:
    """The formula as a `<math>` element.

    Raises `FormulaError`, with the formula, for LaTeX that the converter does not know.

    >>> mathml("x^2")
    '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    from math_core import LatexError

    try:
        return _converter().convert_with_local_state(latex, displaystyle=display)
    except LatexError as error:
        first = re.sub(r"\x1b\[[0-9;]*m", "", str(error)).strip().splitlines()[0]
        raise FormulaError(f"{first.removeprefix('Error: ')} In the formula {latex!r}.") from None


@functools.lru_cache(maxsize=4096)
def line(latex: str) -> str:
    r"""The formula in Unicode; the rows of an alignment are lines of their own.

    >>> line(r"\E\norm{v_l - \bar x}^2 \le 2(5\delta)^{2l} B_0^2 + 90\delta\rho^2")
    'E‖v_l − x̄‖² ≤ 2(5δ)^{2l}B_0² + 90δρ²'
    >>> line(r"\frac{q\sigma^2}{2\mu(1-q)}"), line(r"\sqrt{\tfrac12} + \sqrt{1+x}")
    ('qσ²/(2μ(1 − q))', '√½ + √(1 + x)')
    """
    text = mathml(latex).replace("&ApplyFunction;", _APPLY).replace("&InvisibleTimes;", "").replace("&nbsp;", " ")
    text = re.sub(r"&(?!amp;|lt;|gt;|quot;|apos;|#)\w+;", "", text)
    lines = _of(ElementTree.fromstring(text)).replace(f"({_CHOOSE}", "C(").split("\n")
    return "\n".join(re.sub(r"  +", " ", one).strip().replace("...", "…") for one in lines)


def _of(node: ElementTree.Element) -> str:
    return _ELEMENTS.get(node.tag, _row)(node)


def _row(node: ElementTree.Element) -> str:
    """What stands side by side, with spaces around sums and relations, and none after a sign or an opening bracket."""
    out, before, leads = "", None, True  # leads: what comes next is the first of a sum
    for child in node:
        text = _of(child)
        bare = text.strip()
        if child.tag == "mo" and bare == "=" and out.endswith(" : "):
            out, before, leads = f"{out[:-3]} := ", child, True
            continue
        if child.tag == "mo" and bare == ":" and out.endswith(" = "):
            out, before, leads = f"{out[:-3]} =: ", child, True
            continue
        if bare == _APPLY:
            out, before = out + _APPLY, None
            continue
        if child.tag == "mo" and (bare in _RELATES or bare in _ADDS):
            signs = bare in _ADDS and (leads or out.strip()[-1:] in {"", *_OPENS})
            out += bare if signs else f" {bare} "
        elif child.tag == "mo" and bare in (",", ";"):
            out = f"{out.rstrip()}{bare} "
        else:
            if child.tag == "mspace" and not text:
                continue
            last = None if before is None else _end(before, -1)
            apart = [_is_quotient(one) for one in (last, _end(child, 0)) if one is not None]
            apart.append(last is not None and last.tag == "msqrt" and not out.endswith(")"))  # √π·x, not √(πx)
            script = before is not None and _SHORT.search(out) and text[:1].isalnum()  # p^t·q and b_k·x_i, not p^tq
            expected = before is not None and before.text in ("𝔼", "ℙ") and text[:1].isalnum()  # E x
            function = re.match("[A-Za-z]{2}", text) and out[-1:].isalnum()  # 2 log t
            means = (child.text or "") in ("𝔼", "ℙ") and out[-1:].isalpha()  # a E x
            if (any(apart) and _meet(out, text)) or script:
                out += "·"
            elif expected or function or means:
                out += " "
            out += text
        before, leads = child, child.tag == "mo" and bool(bare) and bare[-1] in _OPENS | _RELATES | _ADDS
    return _applied(out) if node.tag == "math" else out


def _meet(out: str, text: str) -> bool:
    """Whether a factor ends here and another begins; of bars every other one closes."""
    last, first = out[-1:], text[:1]
    opens = last in _BARS and out.count(last) % 2 == 1
    closes = first in _BARS and out.count(first) % 2 == 1
    sides = bool(last.strip()) and last not in _BEFORE and bool(first.strip()) and first not in _AFTER
    return sides and not opens and not closes


def _end(node: ElementTree.Element, place: int) -> ElementTree.Element:
    """What a row begins (0) or ends (−1) with."""
    while node.tag == "mrow" and len(node):
        node = node[place]
    return node


def _is_quotient(node: ElementTree.Element) -> bool:
    return node.tag == "mfrac" and "/" in _fraction(node)


def _applied(text: str) -> str:
    """A function's name, a space if no bracket follows, its argument."""
    text = re.sub(rf"{_APPLY}\s*(?=[(\[{{])", "", text)
    return re.sub(rf"\s*{_APPLY}\s*", " ", text)


def _leaf(node: ElementTree.Element) -> str:
    text = (node.text or "").replace("\u00a0", " ")
    return "".join(_LETTERS.get(letter, letter) for letter in text)


def _space(node: ElementTree.Element) -> str:
    width = node.get("width", "0").removesuffix("em")
    return " " if float(width or 0) >= 0.25 else ""


def _parts(node: ElementTree.Element) -> list[str]:
    return [_of(child).strip() for child in node]


def _script(text: str, mark: str) -> str:
    if mark == "^" and text in ("′", "″", "*", "⊤"):
        return "ᵀ" if text == "⊤" else text
    if mark == "^" and re.fullmatch(r"[′″][0-9]", text):
        return text[0] + text[1].translate(_RAISED)
    text = re.sub(r" ?([=≤≥<>∈∉≠+−±→:]) ?", r"\1", text).replace(", ", ",")
    if mark == "^" and not set(text) - set("0123456789−+"):
        return text.translate(_RAISED)
    return f"{mark}{text}" if len(text) == 1 else f"{mark}{{{text}}}"


def _sub(node: ElementTree.Element) -> str:
    base, below = _parts(node)
    if re.fullmatch("[a-z]{2,}", below) and below in [one.text for one in node[1].iter()]:
        return f"{base}_{below}"  # δ_max
    return base + _script(below, "_")


def _sup(node: ElementTree.Element) -> str:
    base, above = _parts(node)
    return _powered(node[0], base) + _script(above, "^")


def _subsup(node: ElementTree.Element) -> str:
    base, below, above = _parts(node)
    return base + _script(below, "_") + _script(above, "^") + (" " if base in _LARGE else "")


def _powered(node: ElementTree.Element, base: str) -> str:
    """A base of several parts that brings no brackets of its own gets some."""
    alone = node.tag != "mfrac" and (not _loose(base) or base[:1] in "([{‖|⌊⌈")
    return base if alone else f"({base})"


def _over(node: ElementTree.Element) -> str:
    base, above = _parts(node)
    if above in _ACCENTS:
        return "".join(letter + _ACCENTS[above] for letter in base)
    return base if above in ("⏞", "→") else base + _script(above, "^")


def _under(node: ElementTree.Element) -> str:
    base, below = _parts(node)
    return base if below == "⏟" else base + _script(below, "_") + (" " if base in _LARGE else "")


def _loose(text: str, signs: Sequence[str] = (" ",)) -> bool:
    """Whether `text` has a space outside brackets: it is a sum or a relation. Bars open and close in turn."""
    depth, within = 0, {"‖": False, "|": False}
    for letter in text:
        if letter in within:
            within[letter] = not within[letter]
            depth += 1 if within[letter] else -1
        depth += (letter in "([{⌊⌈") - (letter in ")]}⌋⌉")
        if depth == 0 and letter in signs:
            return True
    return False


def _fraction(node: ElementTree.Element) -> str:
    above, below = _parts(node)
    if node.get("linethickness") == "0":
        return f"{_CHOOSE}{above}, {below}"
    if f"{above}/{below}" in _VULGAR:
        return _VULGAR[f"{above}/{below}"]
    above = f"({above})" if _loose(above, (" ", "/")) else above
    factors = len(re.findall(r"√?[\w∞](?:[\u0300-\u036f]|_(?:\{[^}]*\}|\w)|[⁰¹²³⁴-⁹ⁿ⁻⁺]+|\^(?:\{[^}]*\}|\w))*", below))
    root = below.startswith("√") and _bracketed(below[1:])
    alone = root or re.fullmatch(r"√?[\d.]+", below) or (factors <= 1 and not _loose(below) and "/" not in below)
    return f"{above}/{below}" if alone or _bracketed(below.rstrip("⁰¹²³⁴⁵⁶⁷⁸⁹")) else f"{above}/({below})"


def _bracketed(text: str) -> bool:
    """Whether one pair of brackets, or of bars, holds all of `text`."""
    if re.fullmatch(r"‖[^‖]*‖|\|[^|]*\|", text):
        return True
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for place, letter in enumerate(text):
        depth += (letter == "(") - (letter == ")")
        if depth == 0 and place < len(text) - 1:
            return False
    return True


def _root(node: ElementTree.Element) -> str:
    inside = _row(node).strip()
    alone = re.fullmatch(r"[\d.]+|\w[\u0300-\u036f]?(_\w|_\{[^}]*\})?|[½⅓⅔¼¾⅛⅜⅝⅞]", inside) or _bracketed(inside)
    return f"√{inside}" if alone else f"√({inside})"


def _higher_root(node: ElementTree.Element) -> str:
    base, degree = _parts(node)
    sign = {"3": "∛", "4": "∜"}.get(degree, f"{_script(degree, '^').removeprefix('^')}√")
    return f"{sign}{base}" if re.fullmatch(r"[\d.]+|\w", base) else f"{sign}({base})"


def _table(node: ElementTree.Element) -> str:
    return "\n".join(" ".join("".join(map(_row, (cell,))).strip() for cell in row) for row in node)


_ELEMENTS: dict[str, Callable[[ElementTree.Element], str]] = {
    "mi": _leaf,
    "mn": _leaf,
    "mo": _leaf,
    "mtext": _leaf,
    "mspace": _space,
    "msub": _sub,
    "msup": _sup,
    "msubsup": _subsup,
    "mover": _over,
    "munder": _under,
    "munderover": _subsup,
    "mfrac": _fraction,
    "msqrt": _root,
    "mroot": _higher_root,
    "mtable": _table,
    "mphantom": lambda node: "",
    "annotation": lambda node: "",
}
