"""How a log's lines look: Istio's text or JSON, or the user's own. Source: pilot/pkg/model/telemetry_logging.go."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog
from envoy.config.core.v3.extension_pb2 import TypedExtensionConfig
from envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog
from envoy.extensions.formatter.req_without_query.v3.req_without_query_pb2 import ReqWithoutQuery

from mesh.envoy.metadata import struct
from mesh.envoy.typed import extension
from mesh.resources.istio.meshconfig import AccessLogEncoding, MeshConfig
from mesh.resources.istio.providers import FileLog, LogFormat

TEXT: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% '
    "%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" '
    '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% '
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)
_JSON: Final = {
    "start_time": "%START_TIME%",
    "route_name": "%ROUTE_NAME%",
    "method": "%REQ(:METHOD)%",
    "path": "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
    "protocol": "%PROTOCOL%",
    "response_code": "%RESPONSE_CODE%",
    "response_flags": "%RESPONSE_FLAGS%",
    "response_code_details": "%RESPONSE_CODE_DETAILS%",
    "connection_termination_details": "%CONNECTION_TERMINATION_DETAILS%",
    "bytes_received": "%BYTES_RECEIVED%",
    "bytes_sent": "%BYTES_SENT%",
    "duration": "%DURATION%",
    "upstream_service_time": "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
    "x_forwarded_for": "%REQ(X-FORWARDED-FOR)%",
    "user_agent": "%REQ(USER-AGENT)%",
    "request_id": "%REQ(X-REQUEST-ID)%",
    "authority": "%REQ(:AUTHORITY)%",
    "upstream_host": "%UPSTREAM_HOST%",
    "upstream_cluster": "%UPSTREAM_CLUSTER_RAW%",
    "upstream_local_address": "%UPSTREAM_LOCAL_ADDRESS%",
    "downstream_local_address": "%DOWNSTREAM_LOCAL_ADDRESS%",
    "downstream_remote_address": "%DOWNSTREAM_REMOTE_ADDRESS%",
    "requested_server_name": "%REQUESTED_SERVER_NAME%",
    "upstream_transport_failure_reason": "%UPSTREAM_TRANSPORT_FAILURE_REASON%",
}
_WITHOUT_QUERY: Final = "%REQ_WITHOUT_QUERY"


def mesh_file(path: str, config: MeshConfig) -> AccessLog:
    """A file in the format that MeshConfig gives."""
    if config.access_log_encoding is AccessLogEncoding.JSON:
        return _file(path, _json(_fields(config.access_log_format)))
    return _file(path, _text(config.access_log_format))


def file(given: FileLog) -> AccessLog:
    """A provider's file."""
    said = given.log_format or LogFormat()
    made = _text(said.text or "") if said.labels is None else _json(said.labels or _JSON)
    if given.omit_empty_values:
        made["omit_empty_values"] = True
    return _file(given.path or "/dev/stdout", made)


def formatters(*texts: str) -> list[TypedExtensionConfig]:
    """What Envoy needs to understand every operator of a format."""
    needed = any(_WITHOUT_QUERY in text for text in texts)
    name = "envoy.formatter.req_without_query"
    return [TypedExtensionConfig(**extension(name, ReqWithoutQuery()))] if needed else []


def _file(path: str, log_format: dict[str, Any]) -> AccessLog:
    return AccessLog(
        **extension("envoy.access_loggers.file", FileAccessLog(path=path, log_format=log_format))
    )


def _text(given: str) -> dict[str, Any]:
    text = given or TEXT
    text = text if text.endswith("\n") else f"{text}\n"
    return {"text_format_source": {"inline_string": text}, "formatters": formatters(text)}


def _json(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "json_format": struct(fields),
        "json_format_options": {},
        "formatters": formatters(*(value for value in fields.values() if isinstance(value, str))),
    }


def _fields(given: str) -> dict[str, Any]:
    """The user's own fields; what is no JSON object leaves Istio's."""
    try:
        fields = json.loads(given) if given else _JSON
    except ValueError:
        return dict(_JSON)
    return fields if isinstance(fields, dict) else dict(_JSON)
