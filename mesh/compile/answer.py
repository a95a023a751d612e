"""Routes that the proxy answers itself: redirects and fixed responses.

Source: istiod's ApplyRedirect and ApplyDirectResponse.
"""

from __future__ import annotations

import base64
from typing import Final

from envoy.config.route.v3.route_components_pb2 import DirectResponseAction, RedirectAction

from mesh.resources.istio.virtualservice import DirectResponse, HTTPRedirect

_CODES: Final = {
    0: RedirectAction.MOVED_PERMANENTLY,
    301: RedirectAction.MOVED_PERMANENTLY,
    302: RedirectAction.FOUND,
    303: RedirectAction.SEE_OTHER,
    307: RedirectAction.TEMPORARY_REDIRECT,
    308: RedirectAction.PERMANENT_REDIRECT,
}
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def redirect(given: HTTPRedirect, port: int, tls: bool) -> RedirectAction | None:
    """None for a status code that Envoy cannot redirect with."""
    if given.redirect_code not in _CODES:
        return None
    action = RedirectAction(
        host_redirect=given.authority,
        response_code=_CODES[given.redirect_code],
        port_redirect=_port(given, port, tls),
    )
    if given.prefix_rewrite:
        action.prefix_rewrite = given.prefix_rewrite
    else:
        action.path_redirect = given.uri
    if given.scheme:
        action.scheme_redirect = given.scheme
    return action


def direct_response(given: DirectResponse) -> DirectResponseAction:
    action = DirectResponseAction(status=given.status)
    if given.body and given.body.string is not None:
        action.body.inline_string = given.body.string
    elif given.body and given.body.bytes is not None:
        action.body.inline_bytes = base64.b64decode(given.body.bytes)
    return action


def _port(given: HTTPRedirect, port: int, tls: bool) -> int:
    """0 leaves the port to the scheme."""
    chosen = port if given.derive_port == "FROM_REQUEST_PORT" else given.port
    scheme = given.scheme or ("https" if tls else "http")
    return 0 if chosen == _DEFAULT_PORTS.get(scheme) else chosen
