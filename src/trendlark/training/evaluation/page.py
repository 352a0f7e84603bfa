"""The results as one HTML page that loads nothing: tables, reliability diagrams, confusion matrices, failed cases."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jinja2 import Environment, PackageLoader, select_autoescape
from markupsafe import Markup

from trendlark.training.evaluation.pictures import confusion, reliability
from trendlark.training.evaluation.report import tables


def render_page(results: Mapping[str, Any]) -> str:
    """Return the page; texts of cases and names of sets are escaped."""
    environment = Environment(
        loader=PackageLoader("trendlark.training.evaluation"),
        autoescape=select_autoescape(("jinja",)),
    )
    capabilities = results.get("behaviour", {}).get("capabilities", [])
    return environment.get_template("report.html.jinja").render(
        results=results,
        tables=list(tables(results)),
        # The pictures are our own and escape their words themselves.
        reliability=[Markup(reliability(title, bins)) for title, bins in diagrams(results)],  # noqa: S704
        confusions=[
            Markup(confusion(key, one["confusion"]))  # noqa: S704
            for key, one in results.get("sets", {}).items()
            if "confusion" in one
        ],
        failures=[(one, failure) for one in capabilities for failure in one["failures"]],
    )


def diagrams(results: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Yield a title and the bins of confidence of each task and language."""
    for task, whole in results.get("tasks", {}).items():
        for lang, one in whole["languages"].items():
            if one.get("reliability"):
                yield f"{task}, {lang}", one["reliability"]
