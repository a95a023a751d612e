"""One message merged into another as istiod merges patches. Source: istio pkg/proto/merge and MergeAnyWithAny.

What is set in the source is set in the destination; messages are merged field by field, durations replaced as a whole, maps by key. Lists
grow, or are replaced where the patch says so.
"""

from __future__ import annotations

from typing import Any, Final

from google.protobuf import descriptor_pool
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from mesh.envoy.typed import typed

_DURATION: Final = Duration.DESCRIPTOR.full_name


def merge(into: Any, given: Any, replace_lists: bool = False) -> None:
    """Change ``into``. Both are of one type."""
    for field, value in given.ListFields():
        if _is_map(field):
            _merge_map(getattr(into, field.name), value, field)
        elif field.is_repeated:
            if replace_lists:
                into.ClearField(field.name)
            getattr(into, field.name).extend(value)
        elif field.message_type is None:
            setattr(into, field.name, value)
        elif field.message_type.full_name == _DURATION:
            getattr(into, field.name).CopyFrom(value)
        else:
            inner = getattr(into, field.name)
            inner.SetInParent()
            merge(inner, value, replace_lists)


def merge_packed(into: AnyMessage, given: AnyMessage) -> None:
    """Of two packed messages of one type; of others nothing is merged."""
    if into.TypeName() != given.TypeName():
        return
    made, other = _unpacked(into), _unpacked(given)
    merge(made, other)
    into.CopyFrom(typed(made))


def _unpacked(packed: AnyMessage) -> Message:
    descriptor = descriptor_pool.Default().FindMessageTypeByName(packed.TypeName())
    message = GetMessageClass(descriptor)()
    message.ParseFromString(packed.value)
    return message


def _merge_map(into: Any, given: Any, field: FieldDescriptor) -> None:
    entry = field.message_type
    message = entry is not None and entry.fields_by_name["value"].message_type is not None
    for key, value in given.items():
        if message:
            into[key].CopyFrom(value)
        else:
            into[key] = value


def _is_map(field: FieldDescriptor) -> bool:
    return field.message_type is not None and field.message_type.GetOptions().map_entry
