"""A page with bars for the Kubeflow dashboard; it loads nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Mapping

_BAR_WIDTH = 360


def bars(title: str, scores: Mapping[str, float], beside: Mapping[str, float] | None = None) -> str:
    """Return a page with a bar for each score (0 to 1), and a mark where another model stands."""
    rows = []
    for at, (name, score) in enumerate(sorted(scores.items())):
        top = 30 + 24 * at
        rows.append(f'<text x="190" y="{top + 13}" text-anchor="end">{html.escape(name)}</text>')
        rows.append(f'<rect x="200" y="{top}" width="{_BAR_WIDTH * score:.1f}" height="16" fill="#3b6fb6"/>')
        rows.append(f'<text x="{206 + _BAR_WIDTH * score:.1f}" y="{top + 13}">{100 * score:.1f}</text>')
        if beside and name in beside:
            place = 200 + _BAR_WIDTH * beside[name]
            rows.append(f'<path d="M{place:.1f} {top - 3}v22" stroke="#c4452d" stroke-width="3"/>')
    height = 40 + 24 * len(scores)
    mark = "<p>The red mark is the model in service.</p>" if beside else ""
    return (
        '<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>body{{font:14px sans-serif;color:#222;background:#fff;"
        "overflow-wrap:anywhere}svg{max-width:100%;height:auto}</style>"
        f'<h1 style="font-size:18px">{html.escape(title)}</h1>{mark}'
        f'<svg xmlns="http://www.w3.org/2000/svg" width="640" height="{height}" viewBox="0 0 640 {height}" '
        f'font-size="13">{"".join(rows)}</svg>\n'
    )
