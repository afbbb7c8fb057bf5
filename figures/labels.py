"""Labels beside the ends of lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Annotation

End = tuple[str, float, float, str]  # text, x, y, colour
KEPT = "labels at the ends of lines"  # of a figure: what places them anew


def label_ends(axes: Axes, ends: Iterable[End], gap: float = 0.09, size: float = 8, below_top: bool = False) -> None:
    """Labels right of the axes at the height of the (text, x, y, colour), pushed apart until none overlaps.

    With `below_top` none is higher than the axes, which must be high enough for all of them. Thin lines lead from the
    labels, `gap` inches right of the axes, to the points. Set scales and limits before.
    """
    figure, labels, kept = axes.get_figure(root=True), [], list(ends)
    assert figure is not None

    def place() -> None:
        while labels:
            labels.pop().remove()
        labels.extend(_placed(axes, figure, kept, gap, size, below_top))

    place()
    vars(figure).setdefault(KEPT, []).append(place)


def place_again(figure: Figure) -> None:
    """Place all labels of a figure whose axes have moved."""
    for place in vars(figure).get(KEPT, ()):
        place()


def _placed(
    axes: Axes, figure: Figure, ends: Sequence[End], gap: float, size: float, below_top: bool
) -> list[Annotation]:
    box = axes.get_window_extent()
    step, column = 1.3 * size * figure.dpi / 72, box.x1 + gap * figure.dpi
    points = sorted(
        ((text, axes.transData.transform((x, y)), (x, y), colour) for text, x, y, colour in ends),
        key=lambda end: end[1][1],
    )
    heights = [max(point[1], box.y0 + i * step) for i, (_, point, _, _) in enumerate(points)]
    for _ in range(400):  # relax: each pair that is too near moves apart by half of what is missing
        for i in range(len(heights) - 1):
            missing = step - (heights[i + 1] - heights[i])
            if missing > 0:
                heights[i], heights[i + 1] = heights[i] - missing / 2, heights[i + 1] + missing / 2
    if below_top:
        for i in reversed(range(len(heights))):
            heights[i] = min(heights[i], box.y1 - (len(heights) - 1 - i) * step)
    labels = []
    for (text, _, point, colour), height in zip(points, heights, strict=True):
        place = ((column - box.x0) / box.width, (height - box.y0) / box.height)
        line = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3, "relpos": (0, 0.5)}
        labels.append(
            axes.annotate(
                text, point, place, "data", "axes fraction", va="center", color=colour, fontsize=size, arrowprops=line
            )
        )
    return labels
