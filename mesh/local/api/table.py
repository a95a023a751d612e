"""Tables: what `kubectl get` asks for, one row an object.

Format: meta.k8s.io/v1 Table. Which columns a kind has is in ``columns``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from mesh.local.api.columns import NAME, Column, columns_of
from mesh.local.api.target import Target
from mesh.local.store import Object


def wanted(accept: str) -> bool:
    """Whether the client would rather have a Table than objects."""
    first = accept.split(",")[0].replace(" ", "").split(";")
    return "as=Table" in first


def table(target: Target, objects: Iterable[Object], version: str, include: str, now: datetime) -> Object:
    """``include`` says how much of each object its row carries: Object, Metadata (when empty) or None."""
    columns = columns_of(target.kind)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": version},
        "columnDefinitions": [_definition(column) for column in columns],
        "rows": [
            {
                "cells": [column.value(obj, now) for column in columns],
                "object": _carried(target, obj, include),
            }
            for obj in objects
        ],
    }


def _definition(column: Column) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": "integer" if column.is_number else "string",
        "format": "name" if column is NAME else "",
        "description": column.description,
        "priority": 1 if column.wide else 0,
    }


def _carried(target: Target, obj: Object, include: str) -> Object | None:
    if include == "Object":
        return target.shown(obj)
    if include == "None":
        return None
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}
