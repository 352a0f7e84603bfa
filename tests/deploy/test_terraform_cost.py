"""The tables of ``docs/cost.md`` are arithmetic, count what the environments make, and bear the sums told elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "cost.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "aws.md").read_text(encoding="utf-8")
VARIABLES = (ROOT / "deploy/terraform/variables.tf").read_text(encoding="utf-8")
ROW = re.compile(
    r"^\| (?P<what>[^|*]+) \| (?P<count>[\d.]+) \| (?P<unit>[^|]+) \| (?P<price>[\d.]+) \| (?P<month>[\d.]+) \|$",
    re.M,
)
SAVING = re.compile(r"^\| (?P<how>.+?) \| (?P<amount>[^|]*\d[^|]*) \| [^|]+ \|$", re.M)
HOURS = 730
GATEWAY, ADDRESS = r"NAT gateways?$", "public IPv4"


def section(environment: str) -> str:
    return TEXT.split(f"\n## {environment}\n")[1].split("\n## ")[0]


def count(environment: str, what: str) -> float:
    """How many units of the one row that is so named."""
    (found,) = [row for row in ROW.finditer(section(environment)) if re.search(what, row["what"])]
    return float(found["count"])


def price(what: str) -> float:
    """What a unit costs, the same in every table that names it."""
    (found,) = {float(row["price"]) for row in ROW.finditer(TEXT) if re.search(what, row["what"])}
    return found


def together(environment: str) -> float:
    """The sum of a table."""
    found = re.search(r"\*\*together\*\*.*\*\*([\d.]+)\*\*", section(environment))
    assert found is not None
    return float(found[1])


def variable(environment: str, name: str) -> str:
    """What a variable is in an environment: its own value, or the default."""
    path = ROOT / "deploy/terraform/environments" / f"{environment}.tfvars"
    own = re.search(rf"^{name} += (.+)$", path.read_text(encoding="utf-8"), re.M)
    usual = re.search(rf'^variable "{name}" \{{.*?^  default += (.+?)$', VARIABLES, re.M | re.S)
    assert usual is not None
    return (own or usual)[1]


@pytest.mark.parametrize(("environment", "least"), [("dev", 10), ("prod", 10), ("Kubeflow", 4)])
def test_tables_multiply_and_add_up(environment: str, least: int) -> None:
    rows = list(ROW.finditer(section(environment)))
    assert len(rows) >= least
    for row in rows:
        assert float(row["month"]) == pytest.approx(float(row["count"]) * float(row["price"]), abs=0.0051), (
            row["what"]
        )
    assert together(environment) == pytest.approx(sum(float(row["month"]) for row in rows), abs=0.005)


@pytest.mark.parametrize("environment", ["dev", "prod"])
def test_tables_count_what_the_environment_makes(environment: str) -> None:
    nodes = int(variable(environment, "node_desired"))
    per_zone = variable(environment, "nat_per_zone") == "true"
    gateways = int(variable(environment, "zone_count")) if per_zone else 1
    disk = int(variable(environment, "node_disk_gib"))
    kind = variable(environment, "node_instance_types").split('"')[1]
    assert count(environment, re.escape(kind)) == nodes * HOURS
    assert count(environment, f"disks, gp3 {disk} GiB$") == nodes * disk
    assert count(environment, GATEWAY) == count(environment, ADDRESS) == gateways * HOURS
    assert ("EFS backups" in section(environment)) == (variable(environment, "efs_backup") == "true")


# CPUs and GiB of the types that the tables name.
SIZES = {"t3.small": (2, 2), "t3.large": (2, 8), "t3.xlarge": (4, 16)}


@pytest.mark.parametrize("pipeline", ["train", "reanalyze"])
def test_every_step_of_a_pipeline_has_room_on_the_nodes_that_kubeflow_takes(pipeline: str) -> None:
    """A node keeps some for itself and for what runs on every node, so a step never has all CPUs of one."""
    (kind,) = set(re.findall(r"nodes? (t3\.\w+), on demand", section("Kubeflow")))
    assert f'node_instance_types = ["{kind}"]' in section("Kubeflow")
    assert f"one more node, of {kind}," in GUIDE
    cpus, memory = SIZES[kind]
    assert f"dev's two and this one, are {2 * HOURS * price(kind):.0f} dollars" in section("Kubeflow")
    text = (ROOT / f"deploy/kubeflow/compiled/{pipeline}.yaml").read_text(encoding="utf-8")
    steps = next(yaml.safe_load_all(text))["deploymentSpec"]["executors"]
    asked = {name: step["container"]["resources"] for name, step in steps.items()}
    assert asked
    for name, resources in asked.items():
        assert resources["cpuRequest"] < cpus, name
        assert resources["memoryRequest"] < 0.75 * memory, name


def test_the_group_that_trains_is_in_the_table_of_prod() -> None:
    prod = (ROOT / "deploy/terraform/environments/prod.tfvars").read_text(encoding="utf-8")
    kind = re.search(r'^training = \{\n  instance_types = \["([^"]+)"\]', prod, re.M)
    assert kind is not None
    assert f"| Training, {kind[1]} on demand" in section("prod")


@pytest.mark.parametrize(
    "what",
    ["control plane$", "t3.large", GATEWAY, "traffic$", ADDRESS, "gp3", "KMS", "^S3", "ECR", "logs"],
)
def test_the_same_thing_has_the_same_price_in_every_table(what: str) -> None:
    assert price(what) > 0


def test_prices_have_a_date_and_a_warning() -> None:
    assert "as known in November 2026" in TEXT
    assert "check them" in TEXT
    assert "us-east-1" in TEXT


def test_what_can_be_saved_follows_from_the_tables() -> None:
    amounts = {row["how"]: row["amount"] for row in SAVING.finditer(TEXT)}
    saved = {how: [int(number) for number in re.findall(r"\d+", told)] for how, told in amounts.items()}
    gateway = HOURS * (price(GATEWAY) + price(ADDRESS))
    assert saved["`nat_per_zone = false` in prod"] == [pytest.approx(2 * gateway, abs=0.5)]
    assert saved["`zone_count = 2` in prod"] == [pytest.approx(gateway, abs=0.5)]
    nodes = count("prod", "t3.large") * price("t3.large")
    assert saved["`node_spot = true` in prod"] == pytest.approx([nodes / 2, nodes * 2 / 3], abs=2)
    (destroyed,) = [numbers for how, numbers in saved.items() if how.startswith("Destroy dev in the evening")]
    asleep = 1 - 10 * 22 / HOURS
    assert destroyed == [
        pytest.approx(together("dev") * asleep, abs=2.5),
        pytest.approx(together("dev"), abs=5),
    ]


def test_the_guide_names_sums_of_the_tables_and_their_prices() -> None:
    dev, prod, kubeflow = (round(together(name), -1) for name in ("dev", "prod", "Kubeflow"))
    told = (
        f"about {dev:.0f} dollars a month for `dev` as it is, about {prod:.0f} for `prod`",
        f"about {kubeflow:.0f} dollars a month in all",
        f"about {together('dev') * 24 / HOURS:.0f} dollars a day for `dev`",
        f"8 of t3.small are {8 * HOURS * price('t3.small'):.0f} dollars a month",
        f"one of g6.xlarge is {price('g6.xlarge'):.2f} dollars an hour",
        f"costs {price('t3.small'):.4f} dollars an hour (t3.small)",
        f"{price('secret'):.2f} dollars a month, which step 3 already began",
        f"{price('ECR'):.2f} dollars a month for a GB kept",
        f"EFS is {price('^EFS$'):.2f} a GB and month, S3 {price('^S3'):.3f}",
    )
    assert [words for words in told if words not in GUIDE] == []
