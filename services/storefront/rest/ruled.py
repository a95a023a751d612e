"""The rules of a proto's fields as pydantic's, so that the OpenAPI document says them and they are written once.

Input: a message of the contract and the name of its field. Output: what pydantic's Field, or FastAPI's Query and Path, take.
"""

from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from services.gen.shop.rules.v1 import rules_pb2


def ruled(message: type[Message], name: str) -> dict[str, Any]:
    """min_length, max_length, pattern, ge and le. A list's are those of its length."""
    field = message.DESCRIPTOR.fields_by_name[name]
    rules = field.GetOptions().Extensions[rules_pb2.field]
    found: dict[str, int | str | None]
    if field.is_repeated:
        found = {"min_length": _of(rules, "min_items"), "max_length": _of(rules, "max_items")}
    elif field.type == FieldDescriptor.TYPE_STRING:
        least = _of(rules, "min_length") or (1 if rules.required else None)
        pattern = f"^(?:{rules.pattern})$" if rules.HasField("pattern") else None
        found = {"min_length": least, "max_length": _of(rules, "max_length"), "pattern": pattern}
    else:
        found = {"ge": _of(rules, "min"), "le": _of(rules, "max")}
    return {key: value for key, value in found.items() if value is not None}


def _of(rules: Any, name: str) -> int | None:
    value: int = getattr(rules, name)
    return value if rules.HasField(name) else None
