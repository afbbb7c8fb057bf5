"""The page in fewer bytes, which a browser reads as the same page: half of it is the marks of formulas and figures."""

from __future__ import annotations

import re
from collections.abc import Callable

from byzcheck.report.looks import said_once

_TAG = re.compile(r"<[A-Za-z][^<>]*>")
_PLAIN = re.compile(r'="([\w.#%()+,:;/*-]+)"(?=[ />])')
_FALLBACK = re.compile(r"var\((--[\w-]+),#[0-9a-f]{6}\)")
_KEPT = re.compile(r"(<(?:pre|script|style)\b.*?</(?:pre|script|style)>)", re.DOTALL)
_MATH = re.compile(r"<math\b.*?</math>", re.DOTALL)
_WRAPPED = re.compile(
    r'<span class="math inline">(<math>(?:(?!</math>).)*</math>)</span>'
    r'|<div class="math block">\s*(<math display="block">(?:(?!</math>).)*</math>)\s*</div>',
    re.DOTALL,
)
_SHORTER: tuple[tuple[str, str], ...] = (
    # "AGG − x": a minus after a named operator is no sign
    (r'(<mi>[A-Za-z]{2,}</mi></mrow>)<mspace width="0\.16+7?em"/><mo lspace="0" rspace="0">−</mo>', r"\1<mo>−</mo>"),
    # a bracket that must not grow, or an operator without space around: as an identifier it does neither
    (r'<mo stretchy="false"(?: form="\w+")?>([()\[\]{}‖|⌊⌋⌈⌉])</mo>', r"<mi>\1</mi>"),
    (r'<mo lspace="0" rspace="0">([^<]*)</mo>', r"<mi>\1</mi>"),
    (r"<mrow><mspace/>(<mi>\w+</mi>)</mrow>", r"\1"),
    (r'width="0\.16+7?em"', 'width=".17em"'),
    ("&ApplyFunction;", "\u2061"),
)


def compact(page: str) -> str:
    """The page without quotes, spaces and wrappers that say nothing; what is in <pre>, <script> and <style> stays.

    What elements of figures look like is said once, in the page's first <style>, where there is one.

    >>> compact('<p class="a">\\n  <span class="math inline"><math><mi>x</mi></math></span> b</p>')
    '<p class=a>\\n<math><mi>x</mi></math> b</p>'
    """
    parts = _KEPT.split(page)
    parts[::2] = [_FALLBACK.sub(r"var(\1)", part) for part in parts[::2]]  # the page declares its colours
    parts = said_once(parts)
    return "".join(part if place % 2 else _body(part) for place, part in enumerate(parts))


def _body(text: str) -> str:
    text = _WRAPPED.sub(lambda found: found[1] or found[2], text)
    text = _MATH.sub(_each(_formula), text)
    text = _TAG.sub(_each(_attributes), text)
    return re.sub(r"\n\s+", "\n", text)


def _each(change: Callable[[str], str]) -> Callable[[re.Match[str]], str]:
    return lambda found: change(found[0])


def _formula(math: str) -> str:
    for pattern, shorter in _SHORTER:
        math = re.sub(pattern, shorter, math)
    return math


def _attributes(tag: str) -> str:
    """Without quotes around values that need none; a value is parted from the slash that ends a tag."""
    tag = _PLAIN.sub(r"=\1", tag)
    if tag.startswith(("<text ", "<svg ")):  # the page's style gives words this colour, and HTML knows its <svg>
        tag = re.sub(r" (?:fill=var\(--ink\)|xmlns=http:\S+?)(?=[ >])", "", tag)
    return re.sub(r"(?<=[^\s\"/])/>$", " />", tag) if re.search(r"=[^\"\s]*/>$", tag) else tag
