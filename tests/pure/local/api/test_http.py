"""What only a bare HTTP client shows: who may speak, what is served where, and how a refusal looks."""

from __future__ import annotations

import json
import ssl
from http.client import HTTPSConnection
from typing import Any

import pytest

from tests.pure.local.api.manifests import service, virtual_service
from tests.pure.local.api.running import Running

SHOP = "/api/v1/namespaces/shop"


def call(
    api: Running, method: str, path: str, body: Any = None, **headers: str | None
) -> tuple[int, dict[str, str], Any]:
    """The status, headers (lower case) and decoded body of an answer; a header given as None is left out."""
    trusted = ssl.create_default_context(cafile=str(api.directory / "api" / "ca.crt"))
    port = int(api.address.rpartition(":")[2])
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"authorization": f"Bearer {api.token}", "content-type": "application/json", **named}
    content = body if isinstance(body, bytes | None) else json.dumps(body)
    connection = HTTPSConnection("127.0.0.1", port, context=trusted, timeout=10)
    try:
        connection.request(
            method, path, content, {name: value for name, value in sent.items() if value is not None}
        )
        answer = connection.getresponse()
        told, found = answer.read(), {name.lower(): value for name, value in answer.getheaders()}
    finally:
        connection.close()
    return answer.status, found, json.loads(told) if "json" in found.get("content-type", "") else told


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"authorization": None}, 401),
        ({"authorization": "Bearer wrong"}, 401),
        ({"authorization": "Bearer "}, 401),
        ({"host": "evil.example:443"}, 403),
        ({"host": "127.0.0.1.evil.example:443"}, 403),
        ({"origin": "https://evil.example"}, 403),
        ({"host": "localhost:1"}, 200),
    ],
)
def test_only_programs_of_this_machine_with_the_token(
    api: Running, headers: dict[str, str], code: int
) -> None:
    status, _, told = call(api, "GET", f"{SHOP}/pods", **headers)
    assert status == code
    if code != 200:
        assert (told["kind"], told["status"], told["code"]) == ("Status", "Failure", code)


def test_plain_http_is_not_spoken(api: Running) -> None:
    with pytest.raises(ssl.SSLError):
        ssl.get_server_certificate(("127.0.0.1", int(api.address.rpartition(":")[2])), ca_certs="/dev/null")


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "code", "reason", "told"),
    [
        ("GET", "/nothing", None, {}, 404, "NotFound", "/nothing"),
        ("GET", "/apis/example.com/v1", None, {}, 404, "NotFound", "could not find"),
        ("GET", f"{SHOP}/widgets", None, {}, 404, "NotFound", "widgets"),
        ("GET", "/apis/networking.istio.io/v2/virtualservices", None, {}, 404, "NotFound", "v2"),
        ("GET", "/api/v1/pods/a", None, {}, 404, "NotFound", "could not find"),
        ("GET", f"{SHOP}/services/none", None, {}, 404, "NotFound", 'services "none" not found'),
        ("POST", f"{SHOP}/services/none", {}, {}, 405, "MethodNotAllowed", "POST is not supported"),
        ("GET", f"{SHOP}/services/none/scale", None, {}, 405, "MethodNotAllowed", "services/scale"),
        ("POST", f"{SHOP}/services", b"{", {}, 400, "BadRequest", "not JSON"),
        (
            "POST",
            f"{SHOP}/services",
            b"{:",
            {"content-type": "application/yaml"},
            400,
            "BadRequest",
            "not YAML",
        ),
        ("POST", f"{SHOP}/services", [], {}, 400, "BadRequest", "send an object"),
        ("POST", f"{SHOP}/services", b" " * 3_200_000, {}, 413, "RequestEntityTooLarge", "larger than"),
        ("POST", f"{SHOP}/pods", service(), {}, 400, "BadRequest", "the path is that of v1 Pod"),
        (
            "PATCH",
            f"{SHOP}/services/a",
            {},
            {"content-type": "text/plain"},
            415,
            "UnsupportedMediaType",
            "merge-patch",
        ),
        (
            "POST",
            f"{SHOP}/services",
            b"k8s\x00",
            {"content-type": "application/vnd.kubernetes.protobuf"},
            415,
            "UnsupportedMediaType",
            "create -f",
        ),
        ("GET", f"{SHOP}/pods?labelSelector=a+b", None, {}, 400, "BadRequest", "label selector"),
        ("GET", f"{SHOP}/pods?watch=1&timeoutSeconds=x", None, {}, 400, "BadRequest", "timeoutSeconds=x"),
    ],
)
def test_a_refusal_is_a_status(
    api: Running,
    method: str,
    path: str,
    body: Any,
    headers: dict[str, str],
    code: int,
    reason: str,
    told: str,
) -> None:
    status, _, answer = call(
        api, method, path, body, **{name.replace("-", "_"): text for name, text in headers.items()}
    )
    assert (status, answer["kind"], answer["reason"]) == (code, "Status", reason)
    assert told in answer["message"]


def test_problems_are_causes_and_warnings_are_headers(api: Running) -> None:
    path = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices"
    status, _, told = call(api, "POST", path, virtual_service(host="unknown"))
    assert (status, told["reason"], told["details"]["kind"]) == (422, "Invalid", "VirtualService")
    (cause,) = told["details"]["causes"]
    assert cause["field"] == "spec.hosts[0]"
    assert cause["message"] == 'MW0201 unknown host "unknown" (name a Service)'
    status, headers, _ = call(api, "POST", path, virtual_service(host="odd"))
    assert status == 201
    assert headers["warning"] == '299 - "spec.hosts[0]: MW0202 host \\"odd\\" is odd (rename it)"'


def test_yaml_is_read_as_kubernetes_reads_it(api: Running) -> None:
    text = b"apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: dated\ndata:\n  on: 2026-11-23\n"
    status, _, told = call(api, "POST", f"{SHOP}/configmaps", text, content_type="application/yaml")
    assert (status, told["data"]) == (201, {"true": "2026-11-23"})


def test_a_slash_at_the_end_does_not_matter(api: Running) -> None:
    assert call(api, "GET", "/api/v1/namespaces/shop/pods/")[0] == 200
    assert call(api, "GET", "/apis/")[0] == 200


def test_health_and_older_discovery(api: Running) -> None:
    assert call(api, "GET", "/readyz")[2] == b"ok"
    groups = {group["name"] for group in call(api, "GET", "/apis")[2]["groups"]}
    assert {"apps", "networking.istio.io"} <= groups
    resources = call(api, "GET", "/apis/apps/v1")[2]["resources"]
    assert {"deployments", "deployments/status", "deployments/scale"} <= {
        found["name"] for found in resources
    }
    assert call(api, "GET", "/apis/apps")[2]["preferredVersion"]["groupVersion"] == "apps/v1"


def test_a_fault_inside_is_a_status_too(api: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(api.store, "get", broken)
    status, _, told = call(api, "GET", f"{SHOP}/pods/a")
    assert (status, told["reason"]) == (500, "InternalError")
    assert "broken" not in told["message"]
