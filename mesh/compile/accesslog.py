"""The access log, when MeshConfig names a file for it. Source: istiod's FileAccessLogFromMeshConfig."""

from __future__ import annotations

import json
from typing import Any, Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog, AccessLogFilter
from envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog
from envoy.extensions.formatter.req_without_query.v3.req_without_query_pb2 import ReqWithoutQuery

from mesh.envoy.metadata import struct
from mesh.envoy.typed import extension
from mesh.resources.istio.meshconfig import AccessLogEncoding, MeshConfig

_TEXT: Final = (
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


def requests(config: MeshConfig) -> list[AccessLog]:
    """One line a request or TCP connection."""
    return [_log(config)] if config.access_log_file else []


def connections(config: MeshConfig) -> list[AccessLog]:
    """For a listener: only connections that no filter chain took, such as TLS of the wrong kind."""
    found = requests(config)
    for log in found:
        log.filter.CopyFrom(AccessLogFilter(response_flag_filter={"flags": ["NR"]}))
    return found


def _log(config: MeshConfig) -> AccessLog:
    sink = FileAccessLog(path=config.access_log_file, log_format=_format(config))
    return AccessLog(**extension("envoy.access_loggers.file", sink))


def _format(config: MeshConfig) -> dict[str, Any]:
    if config.access_log_encoding is AccessLogEncoding.JSON:
        fields = _fields(config.access_log_format)
        made: dict[str, Any] = {"json_format": struct(fields), "json_format_options": {}}
    else:
        text = config.access_log_format or _TEXT
        made = {"text_format_source": {"inline_string": text if text.endswith("\n") else f"{text}\n"}}
    if _WITHOUT_QUERY in config.access_log_format:
        made["formatters"] = [extension("envoy.formatter.req_without_query", ReqWithoutQuery())]
    return made


def _fields(given: str) -> dict[str, Any]:
    """The user's own fields; what is no JSON object leaves Istio's."""
    try:
        fields = json.loads(given) if given else _JSON
    except ValueError:
        return dict(_JSON)
    return fields if isinstance(fields, dict) else dict(_JSON)
