"""JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7386) on plain values. Neither changes what it is given."""

from __future__ import annotations

from typing import Any

from mesh.local.store.object import copied
from mesh.local.store.refusal import Refused, bad_request


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7386: null removes, objects merge, everything else replaces."""
    if not isinstance(patch, dict):
        return copied(patch)
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge_patch(result.get(name), value)
    return result


def json_patch(target: Any, operations: Any) -> Any:
    """RFC 6902.

    Raises Refused: 400 for an operation that cannot be read, 422 for one that does not fit the object.
    """
    if not isinstance(operations, list):
        raise bad_request("a JSON patch is a list of operations")
    result = copied(target)
    for operation in operations:
        result = _apply(result, operation)
    return result


def _apply(document: Any, operation: Any) -> Any:
    if not isinstance(operation, dict) or not isinstance(operation.get("path"), str):
        raise bad_request(f"a JSON patch operation is an object with op and path, this is {operation!r}")
    op, path = operation.get("op"), operation["path"]
    _tokens(path)
    if op == "remove":
        return _remove(document, path)
    if op in ("add", "replace", "test"):
        value = copied(_needed(operation, "value"))
    elif op in ("move", "copy"):
        value = copied(_get(document, _needed(operation, "from")))
    else:
        raise bad_request(
            f"unknown JSON patch operation {op!r}: use add, remove, replace, move, copy or test"
        )
    if op == "test":
        if _get(document, path) != value:
            raise _unfit(f"testing value {path} failed")
        return document
    if op == "replace":
        _get(document, path)
        return _set(document, path, value)
    if op == "move":
        document = _remove(document, operation["from"])
    return _add(document, path, value)


def _needed(operation: dict[str, Any], name: str) -> Any:
    if name not in operation:
        raise bad_request(f"JSON patch operation {operation['op']!r} at {operation['path']!r} needs {name!r}")
    return operation[name]


def _get(document: Any, path: str) -> Any:
    for token in _tokens(path):
        document = _step(document, token, path)
    return document


def _set(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    parent, last = _parent(document, path)
    parent[_index(parent, last, path) if isinstance(parent, list) else last] = value
    return document


def _add(document: Any, path: str, value: Any) -> Any:
    if not path:
        return value
    parent, last = _parent(document, path)
    if isinstance(parent, list):
        parent.insert(len(parent) if last == "-" else _index(parent, last, path, len(parent) + 1), value)
    else:
        parent[last] = value
    return document


def _remove(document: Any, path: str) -> Any:
    _get(document, path)
    if not path:
        return None
    parent, last = _parent(document, path)
    del parent[_index(parent, last, path) if isinstance(parent, list) else last]
    return document


def _parent(document: Any, path: str) -> tuple[Any, str]:
    head, _, last = path.rpartition("/")
    parent = _get(document, head)
    if not isinstance(parent, (dict, list)):
        raise _unfit(f"{path}: {head} is neither an object nor a list")
    return parent, _unescape(last)


def _step(document: Any, token: str, path: str) -> Any:
    if isinstance(document, dict) and token in document:
        return document[token]
    if isinstance(document, list):
        return document[_index(document, token, path)]
    raise _unfit(f"{path} does not exist")


def _index(items: list[Any], token: str, path: str, length: int | None = None) -> int:
    if not token.isdecimal() or int(token) >= (len(items) if length is None else length):
        raise _unfit(f"{path}: {token!r} is not an index of a list of {len(items)}")
    return int(token)


def _tokens(path: str) -> list[str]:
    if path and not path.startswith("/"):
        raise bad_request(f"JSON pointer {path!r} does not begin with a slash")
    return [_unescape(token) for token in path.split("/")[1:]]


def _unescape(token: str) -> str:
    return token.replace("~1", "/").replace("~0", "~")


def _unfit(why: str) -> Refused:
    return Refused(422, "Invalid", f"the JSON patch does not fit the object: {why}")
