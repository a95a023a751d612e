"""What a request carries: its body as JSON or YAML, and the query parameters that every write understands."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from mesh.local.api.target import Target
from mesh.local.store import Object, Refused
from mesh.local.store.refusal import bad_request, unsupported

LARGEST = 3 * 1024 * 1024
"""Bytes that a body may have: kube-apiserver's limit."""


async def read(request: Request) -> Any:
    """The body, decoded.

    Raises Refused: 413 when it is too large, 415 for a format that is not JSON or YAML, 400 when it is
    broken.
    """
    media = media_type(request)
    if "protobuf" in media:
        raise unsupported(
            "protobuf bodies are not served here: write the object to a file and `kubectl create -f` it"
        )
    content = bytearray()
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            raise Refused(413, "RequestEntityTooLarge", f"the body is larger than {LARGEST} bytes")
    if not content:
        return None
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        if "yaml" in media:
            return _yaml(bytes(content))
        raise bad_request(f"the body is not JSON: {error}") from error


async def read_object(request: Request, target: Target) -> Object:
    """The body as an object of the target's kind and namespace: what it leaves out is taken from the path."""
    obj = await read(request)
    if not isinstance(obj, dict) or not isinstance(obj.get("metadata", {}), dict):
        raise bad_request(f"the body is not a {target.kind.name}: send an object with metadata and spec")
    obj = {"apiVersion": target.api_version, "kind": target.kind.name, **obj}
    if (obj["apiVersion"], obj["kind"]) != (target.api_version, target.kind.name):
        sent, path = f"{obj['apiVersion']} {obj['kind']}", f"{target.api_version} {target.kind.name}"
        raise bad_request(f"the object sent is {sent}, the path is that of {path}")
    found = {**(obj.get("metadata") or {})}
    if target.namespace and found.setdefault("namespace", target.namespace) != target.namespace:
        why = "does not match the namespace sent on the request"
        raise bad_request(
            f"the namespace of the provided object {why}: {found['namespace']}, {target.namespace}"
        )
    if target.name and found.setdefault("name", target.name) != target.name:
        raise bad_request(f"the object's name ({found['name']}) is not that in the path ({target.name})")
    return {**obj, "metadata": found}


def media_type(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip()


def manager(request: Request) -> str:
    """Who writes: the fieldManager parameter, else the program in the User-Agent, as on a cluster."""
    agent = request.headers.get("user-agent", "unknown")
    return request.query_params.get("fieldManager") or agent.partition("/")[0][:128]


def is_dry_run(request: Request) -> bool:
    return "All" in request.query_params.getlist("dryRun")


def is_true(request: Request, parameter: str) -> bool:
    return request.query_params.get(parameter, "").lower() in ("true", "1")


def number(request: Request, parameter: str) -> int | None:
    """A query parameter that counts something, None when it is not given."""
    text = request.query_params.get(parameter, "")
    if text and not text.isdecimal():
        raise bad_request(f"{parameter}={text} is not a number")
    return int(text) if text else None


def _yaml(content: bytes) -> Any:
    """As Kubernetes reads YAML: what looks like a time is a string, and so is every key."""
    import yaml

    class Loader(yaml.SafeLoader):
        pass

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in known if tag != "tag:yaml.org,2002:timestamp"]
        for first, known in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        return json.loads(json.dumps(yaml.load(content, Loader)))  # noqa: S506  (it is a safe loader)
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise bad_request(f"the body is not YAML: {error}") from error
