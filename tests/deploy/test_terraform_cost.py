"""The tables of ``docs/cost.md`` are arithmetic, and count what the environments make."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?P<what>[^|*]+) \| (?P<count>[\d.]+) \| (?P<unit>[^|]+) \| (?P<price>[\d.]+) \| (?P<month>[\d.]+) \|$",
    re.M,
)
HOURS = 730


def section(environment: str) -> str:
    return TEXT.split(f"\n## {environment}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize(("environment", "least"), [("dev", 10), ("prod", 10), ("Kubeflow", 4)])
def test_tables_multiply_and_add_up(environment: str, least: int) -> None:
    rows = list(ROW.finditer(section(environment)))
    assert len(rows) >= least
    for row in rows:
        assert float(row["month"]) == pytest.approx(float(row["count"]) * float(row["price"]), abs=0.0051), (
            row["what"]
        )
    together = re.search(r"\*\*together\*\*.*\*\*([\d.]+)\*\*", section(environment))
    assert together is not None
    assert float(together[1]) == pytest.approx(sum(float(row["month"]) for row in rows), abs=0.005)


@pytest.mark.parametrize(("environment", "nodes", "gateways"), [("dev", 2, 1), ("prod", 3, 3)])
def test_tables_count_what_the_environment_makes(environment: str, nodes: int, gateways: int) -> None:
    variables = (ROOT / "deploy/terraform/environments" / f"{environment}.tfvars").read_text(encoding="utf-8")
    desired = re.search(r"^node_desired += (\d+)", variables, re.M)
    zones = re.search(r"^zone_count += (\d+)", variables, re.M)
    per_zone = re.search(r"^nat_per_zone += true", variables, re.M)
    kind = re.search(r'^node_instance_types = \["([^"]+)"', variables, re.M)
    assert (int(desired[1]) if desired else 2) == nodes
    assert (int(zones[1]) if zones and per_zone else 1) == gateways
    assert kind is not None
    rows = {row["what"]: row for row in ROW.finditer(section(environment))}
    (running,) = [row for what, row in rows.items() if kind[1] in what]
    assert float(running["count"]) == nodes * HOURS
    (translating,) = [row for what, row in rows.items() if re.search(r"NAT gateways?$", what)]
    assert float(translating["count"]) == gateways * HOURS


def test_prices_have_a_date_and_a_warning() -> None:
    assert "as known in November 2026" in TEXT
    assert "check them" in TEXT
    assert "us-east-1" in TEXT


def test_the_guide_names_the_sums_of_the_tables() -> None:
    guide = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
    named = re.search(r"about (\d+) dollars a month for `dev` as it is, about (\d+) for `prod`", guide)
    assert named is not None
    sums = [
        re.search(r"\*\*together\*\*.*\*\*([\d.]+)\*\*", section(name))
        for name in ("dev", "prod", "Kubeflow")
    ]
    dev, prod, kubeflow = (float(found[1]) for found in sums if found is not None)
    assert [round(dev, -1), round(prod, -1)] == [float(named[1]), float(named[2])]
    assert f"about {round(kubeflow, -1):.0f} dollars a month in all" in guide
