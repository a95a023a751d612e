"""OTLP's messages for traces and metrics, the same on the wire, as a table: what otlp reads and receiver answers with.

The package opentelemetry-proto cannot be used beside xds-protos, which brings an old copy of the same modules and
wins or loses by the order of installation. Hence a descriptor pool of its own.
Source: https://github.com/open-telemetry/opentelemetry-proto, release 1.9.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

Message = Any
"""One of the messages below: they are made at run time, which no type checker can follow."""

_PACKAGE = "otlp"
_MESSAGES: Mapping[str, Mapping[str, tuple[int, str]]] = {
    "ExportTraceServiceRequest": {"resource_spans": (1, "*ResourceSpans")},
    "ExportTraceServiceResponse": {"partial_success": (1, "ExportTracePartialSuccess")},
    "ExportTracePartialSuccess": {"rejected_spans": (1, "int64"), "error_message": (2, "string")},
    "ExportMetricsServiceRequest": {"resource_metrics": (1, "*ResourceMetrics")},
    "ExportMetricsServiceResponse": {"partial_success": (1, "ExportMetricsPartialSuccess")},
    "ExportMetricsPartialSuccess": {"rejected_data_points": (1, "int64"), "error_message": (2, "string")},
    "ResourceMetrics": {"resource": (1, "Resource"), "scope_metrics": (2, "*ScopeMetrics")},
    "ScopeMetrics": {"metrics": (2, "*Metric")},
    "Metric": {
        "name": (1, "string"),
        "unit": (3, "string"),
        "gauge": (5, "Gauge"),
        "sum": (7, "Sum"),
        "histogram": (9, "Histogram"),
    },
    "Gauge": {"data_points": (1, "*NumberDataPoint")},
    "Sum": {
        "data_points": (1, "*NumberDataPoint"),
        "aggregation_temporality": (2, "AggregationTemporality"),
        "is_monotonic": (3, "bool"),
    },
    "Histogram": {
        "data_points": (1, "*HistogramDataPoint"),
        "aggregation_temporality": (2, "AggregationTemporality"),
    },
    "NumberDataPoint": {
        "as_double": (4, "double"),
        "as_int": (6, "sfixed64"),
        "attributes": (7, "*KeyValue"),
    },
    "HistogramDataPoint": {
        "count": (4, "fixed64"),
        "sum": (5, "double"),
        "bucket_counts": (6, "*fixed64"),
        "explicit_bounds": (7, "*double"),
        "attributes": (9, "*KeyValue"),
    },
    "ResourceSpans": {"resource": (1, "Resource"), "scope_spans": (2, "*ScopeSpans")},
    "Resource": {"attributes": (1, "*KeyValue")},
    "ScopeSpans": {"spans": (2, "*Span")},
    "Span": {
        "trace_id": (1, "bytes"),
        "span_id": (2, "bytes"),
        "parent_span_id": (4, "bytes"),
        "name": (5, "string"),
        "kind": (6, "SpanKind"),
        "start_time_unix_nano": (7, "fixed64"),
        "end_time_unix_nano": (8, "fixed64"),
        "attributes": (9, "*KeyValue"),
        "status": (15, "Status"),
    },
    "Status": {"message": (2, "string"), "code": (3, "StatusCode")},
    "KeyValue": {"key": (1, "string"), "value": (2, "AnyValue")},
    "AnyValue": {
        "string_value": (1, "string"),
        "bool_value": (2, "bool"),
        "int_value": (3, "int64"),
        "double_value": (4, "double"),
        "array_value": (5, "ArrayValue"),
        "kvlist_value": (6, "KeyValueList"),
        "bytes_value": (7, "bytes"),
    },
    "ArrayValue": {"values": (1, "*AnyValue")},
    "KeyValueList": {"values": (1, "*KeyValue")},
}
"""Message -> field -> number and type; ``*`` is repeated. Fields that exclude each other are in _ONE_OF."""

_ONE_OF = {
    "AnyValue": tuple(_MESSAGES["AnyValue"]),
    "Metric": ("gauge", "sum", "histogram"),
    "NumberDataPoint": ("as_double", "as_int"),
}
_ENUMS = {
    "AggregationTemporality": [
        f"AGGREGATION_TEMPORALITY_{kind}" for kind in ("UNSPECIFIED", "DELTA", "CUMULATIVE")
    ],
    "SpanKind": [
        f"SPAN_KIND_{kind}"
        for kind in ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"]
    ],
    "StatusCode": [f"STATUS_CODE_{code}" for code in ("UNSET", "OK", "ERROR")],
}


def _file() -> FileDescriptorProto:
    file = FileDescriptorProto(name="otlp.proto", package=_PACKAGE, syntax="proto3")
    for name, values in _ENUMS.items():
        enum = EnumDescriptorProto(name=name)
        for number, value in enumerate(values):
            enum.value.add(name=value, number=number)
        file.enum_type.append(enum)
    for name, fields in _MESSAGES.items():
        message = DescriptorProto(name=name, field=_fields(fields))
        if name in _ONE_OF:
            message.oneof_decl.add(name="value")
            for each in message.field:
                if each.name in _ONE_OF[name]:
                    each.oneof_index = 0
        file.message_type.append(message)
    return file


def _fields(fields: Mapping[str, tuple[int, str]]) -> Iterator[FieldDescriptorProto]:
    for name, (number, written) in fields.items():
        kind = written.removeprefix("*")
        label = (
            FieldDescriptorProto.LABEL_OPTIONAL if kind == written else FieldDescriptorProto.LABEL_REPEATED
        )
        field = FieldDescriptorProto(name=name, number=number, label=label)
        if kind in _MESSAGES or kind in _ENUMS:
            field.type_name = f".{_PACKAGE}.{kind}"
        if kind in _MESSAGES:
            field.type = FieldDescriptorProto.TYPE_MESSAGE
        elif kind in _ENUMS:
            field.type = FieldDescriptorProto.TYPE_ENUM
        else:
            field.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
        yield field


_pool = DescriptorPool()
_pool.Add(_file())


def _message(name: str) -> Any:
    return GetMessageClass(_pool.FindMessageTypeByName(f"{_PACKAGE}.{name}"))


Request = _message("ExportTraceServiceRequest")
Response = _message("ExportTraceServiceResponse")
MetricsRequest = _message("ExportMetricsServiceRequest")
MetricsResponse = _message("ExportMetricsServiceResponse")
ResourceSpans = _message("ResourceSpans")
Span = _message("Span")
Status = _message("Status")
KeyValue = _message("KeyValue")
AnyValue = _message("AnyValue")
