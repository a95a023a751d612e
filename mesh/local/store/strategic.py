"""Strategic merge patch: a merge patch that knows which lists are maps.

What `kubectl apply`, `edit`, `set` and `rollout restart` send.

Directives are those of k8s.io/apimachinery/pkg/util/strategicpatch: ``$patch`` (replace, delete, merge),
``$retainKeys``, ``$setElementOrder/FIELD`` and ``$deleteFromPrimitiveList/FIELD``.
"""

from __future__ import annotations

from typing import Any

from mesh.local.store.listkeys import SETS, Path, identity, merge_keys
from mesh.local.store.refusal import bad_request

_ORDER = "$setElementOrder/"
_DROP = "$deleteFromPrimitiveList/"


def strategic_patch(target: Any, patch: Any) -> Any:
    """The target with the patch merged in; neither is changed.

    Raises Refused (400) for a patch that cannot be read.
    """
    if not isinstance(patch, dict):
        raise bad_request("a strategic merge patch is an object")
    return _merge_map(target if isinstance(target, dict) else {}, patch, ())


def _merge_map(target: dict[str, Any], patch: dict[str, Any], path: Path) -> dict[str, Any]:
    directive = patch.get("$patch", "merge")
    if directive == "replace":
        return {name: _plain(value) for name, value in patch.items() if not name.startswith("$")}
    if directive == "delete":
        return {}
    result = dict(target)
    if "$retainKeys" in patch:
        result = {name: value for name, value in result.items() if name in patch["$retainKeys"]}
    for name, value in patch.items():
        if name.startswith("$"):
            continue
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _merge_value(result.get(name), value, (*path, name))
    return _directed(result, patch, path)


def _directed(result: dict[str, Any], patch: dict[str, Any], path: Path) -> dict[str, Any]:
    """The directives that stand beside the list they are about."""
    for name, value in patch.items():
        if name.startswith(_DROP):
            field = name.removeprefix(_DROP)
            result[field] = [item for item in result.get(field) or [] if item not in value]
    for name, value in patch.items():
        field = name.removeprefix(_ORDER)
        if name.startswith(_ORDER) and isinstance(result.get(field), list):
            result[field] = _ordered(result[field], value, (*path, field))
    return result


def _merge_value(old: Any, new: Any, path: Path) -> Any:
    if isinstance(new, dict):
        return _merge_map(old if isinstance(old, dict) else {}, new, path)
    if isinstance(new, list):
        return _merge_list(old if isinstance(old, list) else [], new, path)
    return new


def _merge_list(old: list[Any], new: list[Any], path: Path) -> list[Any]:
    if path[-1] in SETS:
        return [*old, *(item for item in new if item not in old)]
    keys = merge_keys(path)
    if not keys or not all(isinstance(item, dict) for item in new):
        return [_plain(item) for item in new]
    if any(item == {"$patch": "replace"} for item in new):
        return [_plain(item) for item in new if item != {"$patch": "replace"}]
    result = list(old)
    for item in new:
        place = next((at for at, known in enumerate(result) if _same(known, item, keys)), None)
        if item.get("$patch") == "delete":
            if place is not None:
                del result[place]
        elif place is None:
            result.append(_merge_map({}, item, path))
        else:
            result[place] = _merge_map(result[place], item, path)
    return result


def _same(known: dict[str, Any], item: dict[str, Any], keys: tuple[str, ...]) -> bool:
    """Strategic merge knows only the first key; the others count where the patch gives them."""
    return all(
        identity(known, (key,)) == identity(item, (key,)) for key in keys if key == keys[0] or key in item
    )


def _ordered(items: list[Any], order: list[Any], path: Path) -> list[Any]:
    """Named items in the order told, each unnamed one staying behind the item that it followed."""
    keys = merge_keys(path)

    def rank(item: Any) -> int:
        for place, wanted in enumerate(order):
            if item == wanted or (keys and isinstance(wanted, dict) and _same(item, wanted, keys)):
                return place
        return -1

    ranks: list[int] = []
    for item in items:
        own = rank(item)
        ranks.append(own if own >= 0 else (ranks[-1] if ranks else -1))
    return [item for _, item in sorted(zip(ranks, items, strict=True), key=lambda pair: pair[0])]


def _plain(value: Any) -> Any:
    """A copy without directives."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items() if not name.startswith("$")}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value
