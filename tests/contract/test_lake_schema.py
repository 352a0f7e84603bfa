"""The tables as their users see them: a change of them is a change of the file beside this test.

To write the file anew: ``python -m tests.contract.test_lake_schema``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from deltalake import DeltaTable

from trendlark.lake import TABLES, open_lake
from trendlark.lake.tables import SCHEMA_VERSION

CONTRACT = Path(__file__).with_name("lake_schema.json")


def described() -> dict[str, Any]:
    """The schema of the lake as plain JSON."""
    return {
        "schema_version": SCHEMA_VERSION,
        "tables": {
            spec.name: {
                "description": spec.description,
                "partition": spec.partition,
                "key": list(spec.key),
                "properties": spec.configuration(),
                "columns": [
                    {
                        "name": column.name,
                        "type": str(column.type),
                        "required": column.required,
                        "description": column.description,
                    }
                    for column in spec.columns
                ],
            }
            for spec in TABLES.values()
        },
    }


def test_the_tables_are_those_of_the_contract() -> None:
    assert described() == json.loads(CONTRACT.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", TABLES)
def test_delta_keeps_what_the_contract_says(tmp_path: Path, name: str) -> None:
    spec = TABLES[name]
    open_lake(str(tmp_path))._table_to_write(spec)
    table = DeltaTable(tmp_path / name)
    kept = {field.name: field for field in table.schema().fields}
    assert list(kept) == [column.name for column in spec.columns]
    for column in spec.columns:
        assert kept[column.name].nullable is not column.required
        assert kept[column.name].metadata == {"comment": column.description}
    assert table.metadata().partition_columns == [spec.partition]
    assert table.metadata().configuration == spec.configuration()
    assert table.metadata().name == name
    assert table.protocol().min_reader_version == 1


if __name__ == "__main__":
    CONTRACT.write_text(json.dumps(described(), indent=1) + "\n", encoding="utf-8")
