"""Small SVG pictures: reliability diagrams and confusion matrices. No script, no font, no link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from trendlark.training.evaluation.tallies import BINS

_SIDE = 150
_EDGE = 34
_BOX = _SIDE + 2 * _EDGE
_STYLE = "font-family:sans-serif;font-size:10px;fill:#333"
_BLUE, _ORANGE, _GREY = "#2f6db3", "#d9822b", "#999"


def reliability(title: str, bins: Sequence[Mapping[str, float]]) -> str:
    """Return the reliability diagram: how often answers of each confidence are right, against the diagonal.

    The area of a dot is the share of the answers in its bin.
    """
    return _svg(_BOX, _BOX, _reliability(title, bins, 0, 0), title)


def reliability_grid(titled: Sequence[tuple[str, Sequence[Mapping[str, float]]]], columns: int = 4) -> str:
    """Return several diagrams in one picture."""
    parts = [
        _reliability(title, bins, _BOX * (at % columns), _BOX * (at // columns))
        for at, (title, bins) in enumerate(titled)
    ]
    rows = (len(titled) + columns - 1) // columns
    return _svg(
        _BOX * min(columns, len(titled)), _BOX * rows, "".join(parts), "Reliability by task and language"
    )


def _reliability(title: str, bins: Sequence[Mapping[str, float]], left: float, top: float) -> str:
    def x(value: float) -> str:
        return f"{left + _EDGE + _SIDE * value:.1f}"

    def y(value: float) -> str:
        return f"{top + _EDGE + _SIDE * (1 - value):.1f}"

    total = sum(one["answers"] for one in bins) or 1
    parts = [
        f'<rect x="{x(0)}" y="{y(1)}" width="{_SIDE}" height="{_SIDE}" fill="none" stroke="{_GREY}"/>',
        f'<line x1="{x(0)}" y1="{y(0)}" x2="{x(1)}" y2="{y(1)}" stroke="{_GREY}" stroke-dasharray="3 3"/>',
        _text(title, left + _BOX / 2, top + _EDGE - 8, "middle"),
        _text("confidence", left + _BOX / 2, top + _BOX - 8, "middle"),
        _text("right", left + 4, top + _EDGE - 8),
        *(_text(f"{tick:g}", float(x(tick)), top + _BOX - _EDGE + 12, "middle") for tick in (0, 0.5, 1)),
        *(_text(f"{tick:g}", left + _EDGE - 4, float(y(tick)) + 3, "end") for tick in (0, 0.5, 1)),
    ]
    points = " ".join(f"{x(one['confidence'])},{y(one['accuracy'])}" for one in bins)
    parts.append(f'<polyline points="{points}" fill="none" stroke="{_BLUE}"/>')
    for one in bins:
        radius = max(1.5, 12 * (one["answers"] / total) ** 0.5)
        parts.append(
            f'<circle cx="{x(one["confidence"])}" cy="{y(one["accuracy"])}" r="{radius:.1f}" '
            f'fill="{_ORANGE}" fill-opacity="0.6"/>'
        )
    return "".join(parts)


def confusion(title: str, table: Mapping[str, Any]) -> str:
    """Return the confusion matrix: true labels down, answers across, shaded by the share of the true label."""
    labels, counts = table["labels"], table["counts"]
    cell, wide = 52, 74
    parts = [_text(f"{title}: true down, said across", 4, 12)]
    for down, row in enumerate(counts):
        total = sum(row) or 1
        top = 34 + cell * down * 0.6
        parts.append(_text(labels[down], wide - 6, top + 20, "end"))
        for across, number in enumerate(row):
            left = wide + cell * across
            parts.append(
                f'<rect x="{left}" y="{top:.0f}" width="{cell - 2}" height="{cell * 0.6 - 2:.0f}" '
                f'fill="{_BLUE}" fill-opacity="{0.05 + 0.75 * number / total:.2f}"/>'
            )
            parts.append(_text(f"{number}", left + cell / 2, top + 20, "middle"))
    for across, label in enumerate(labels):
        parts.append(_text(label[:9], wide + cell * (across + 0.5), 28, "middle"))
    return _svg(wide + cell * len(labels) + 8, 44 + cell * len(labels) * 0.6, "".join(parts), title)


def _text(words: str, x: float, y: float, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" style="{_STYLE}">{escape(words)}</text>'


def _svg(width: float, height: float, inside: str, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{inside}</svg>\n'
    )


def bin_names() -> tuple[str, ...]:
    """Return the bins of confidence as people read them: ``40-47 %``."""
    return tuple(f"{100 * at / BINS:.0f}-{100 * (at + 1) / BINS:.0f} %" for at in range(BINS))
