"""The Frictionless Data Package beside every data.parquet: dictionary, row count, checksums, provenance.

The format is that of https://datapackage.org (version 2); `rowCount` and `provenance` are this project's additions.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from access_control import clock

DATA_FILE = "data.parquet"
PACKAGE_FILE = "datapackage.json"
PROFILE = "https://datapackage.org/profiles/2.0/datapackage.json"


def field_type(kind: pa.DataType) -> str:
    """The Frictionless name of an Arrow type, as the dictionary shows it."""
    table = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "datetime"),
        (pa.types.is_time, "time"),
        (pa.types.is_duration, "duration"),
    )
    return next((name for test, name in table if test(kind)), "string")


def columns_of(
    schema: pa.Schema, descriptions: Mapping[str, str] | None = None, notes: Mapping[str, str] | None = None
) -> list[dict[str, str]]:
    """The dictionary of a table: name, type and description of each column, and a note where there is one."""
    rows = []
    for field in schema:
        row = {
            "name": field.name,
            "type": field_type(field.type),
            "description": (descriptions or {}).get(field.name, ""),
        }
        if note := (notes or {}).get(field.name):
            row["note"] = note
        rows.append(row)
    return rows


def package(
    *,
    name: str,
    version: str,
    title: str,
    description: str,
    licence: str,
    citation: str,
    owner: str,
    columns: Sequence[Mapping[str, Any]],
    rows: int,
    size: int,
    sha256: str,
    provenance: Mapping[str, Any],
    extra: Mapping[str, Any] | None = None,
) -> str:
    """The text of datapackage.json; `size` in bytes and `sha256` are of data.parquet."""
    value: dict[str, Any] = {
        "$schema": PROFILE,
        "name": name,
        "version": version,
        "title": title,
        "description": description,
        "created": clock.now().isoformat(timespec="seconds"),
        "contributors": [{"title": owner, "roles": ["rightsHolder"]}],
        "provenance": dict(provenance),
        "resources": [
            {
                "name": "data",
                "path": DATA_FILE,
                "format": "parquet",
                "mediatype": "application/vnd.apache.parquet",
                "bytes": size,
                "hash": f"sha256:{sha256}",
                "rowCount": rows,
                "schema": {"fields": [{key: text for key, text in column.items() if text} for column in columns]},
            }
        ],
    }
    if licence:
        value["licenses"] = [{"title": licence}]
    if citation:
        value["citation"] = citation
    value.update(extra or {})
    return json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n"
