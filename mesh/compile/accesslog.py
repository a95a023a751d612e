"""The access log, when MeshConfig names a file for it. Source: istiod's accesslog.go (text, default format)."""

from __future__ import annotations

from typing import Final

from envoy.config.accesslog.v3.accesslog_pb2 import AccessLog, AccessLogFilter
from envoy.extensions.access_loggers.file.v3.file_pb2 import FileAccessLog

from mesh.envoy.typed import extension

_FORMAT: Final = (
    '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
    "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" %BYTES_RECEIVED% %BYTES_SENT% '
    "%DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" '
    '"%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%" %UPSTREAM_CLUSTER_RAW% '
    "%UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%\n"
)


def requests(file: str) -> list[AccessLog]:
    """One line a request or TCP connection."""
    return [_log(file)] if file else []


def connections(file: str) -> list[AccessLog]:
    """For a listener: only connections that no filter chain took, such as TLS of the wrong kind."""
    if not file:
        return []
    log = _log(file)
    log.filter.CopyFrom(AccessLogFilter(response_flag_filter={"flags": ["NR"]}))
    return [log]


def _log(file: str) -> AccessLog:
    sink = FileAccessLog(path=file, log_format={"text_format_source": {"inline_string": _FORMAT}})
    return AccessLog(**extension("envoy.access_loggers.file", sink))
