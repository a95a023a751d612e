"""Server-side apply: a configuration is merged into the object, and its manager owns what it names.

As sigs.k8s.io/structured-merge-diff does it, without versions or schemas: which lists are maps is in
``listkeys``. Pure.
"""

from __future__ import annotations

import json
from typing import Any

from mesh.local.store.kind import Kind
from mesh.local.store.listkeys import SETS, keyed
from mesh.local.store.object import Object, copied, name_of
from mesh.local.store.ownership import (
    APPLY,
    Fields,
    Owner,
    Owners,
    Steps,
    item_step,
    leaves,
    owners,
    with_owners,
)
from mesh.local.store.refusal import Cause, Refused


def applied(current: Object, wanted: Object, kind: Kind, manager: str, force: bool, time: str) -> Object:
    """The object after ``manager`` applied ``wanted``.

    Fields it applied before and names no longer go, unless another manager has them too. Raises Refused (409)
    when another manager holds a field with another value, unless ``force``, which takes the field over.
    """
    me, held = Owner(manager, APPLY), owners(current)
    now, mine = leaves(current, kind), leaves(wanted, kind)
    others = {owner: fields for owner, fields in held.items() if owner != me}
    contested = {steps for steps, value in mine.items() if steps in now and now[steps] != value}
    if not force:
        _refuse(current, kind, others, contested)
    others = {owner: fields - contested for owner, fields in others.items()}
    dropped = held.get(me, frozenset()) - mine.keys() - _union(others)
    left = copied(current)
    for steps in sorted(dropped, key=len, reverse=True):
        if not _names_item(steps) and not (
            steps[-1] == "." and _anything_below(steps[:-1], others, mine.keys())
        ):
            _remove(left, steps)
    result: Object = _merge(left, copied(wanted), kind, ())
    return with_owners(result, {**others, me: frozenset(mine)}, current, time)


def _refuse(current: Object, kind: Kind, others: Owners, contested: set[Steps]) -> None:
    causes = [
        Cause(f'conflict with "{owner.manager}"', _dotted(steps), "FieldManagerConflict")
        for owner, fields in others.items()
        for steps in sorted(fields & contested)
    ]
    if causes:
        told = "\n".join(f"- {cause.message}: {cause.field}" for cause in causes)
        count = "1 conflict" if len(causes) == 1 else f"{len(causes)} conflicts"
        raise Refused(
            409, "Conflict", f"Apply failed with {count}:\n{told}", kind, name_of(current), tuple(causes)
        )


def _merge(old: Any, new: Any, kind: Kind, names: tuple[str, ...]) -> Any:
    if isinstance(new, dict):
        result = dict(old) if isinstance(old, dict) else {}
        for name, value in new.items():
            result[name] = _merge(result.get(name), value, kind, (*names, name))
        return result
    if isinstance(new, list) and isinstance(old, list):
        if names[-1] in SETS:
            return [*old, *(item for item in new if item not in old)]
        keys = keyed(kind, names)
        if keys and all(isinstance(item, dict) for item in (*old, *new)):
            return _merge_items(old, new, keys, kind, names)
    return new


def _merge_items(
    old: list[Any], new: list[Any], keys: tuple[str, ...], kind: Kind, names: tuple[str, ...]
) -> list[Any]:
    """The applied order first, then what others added."""
    known = {item_step(item, keys): item for item in old}
    merged = [_merge(known.pop(item_step(item, keys), None), item, kind, names) for item in new]
    return [*merged, *known.values()]


def _remove(obj: Any, steps: Steps) -> bool:
    """Takes the field out of the tree, in place. True when nothing is left in it."""
    step = steps[0]
    if step.startswith("f:"):
        return _remove_field(obj, step[2:], steps[1:])
    if step == ".":
        return True
    wanted = json.loads(step[2:])
    for place, item in enumerate(obj):
        if step.startswith("v:") and item == wanted:
            del obj[place]
            break
        if step.startswith("k:") and item_step(item, wanted) == step:
            if _remove(item, steps[1:]):
                del obj[place]
            break
    return not obj


def _remove_field(obj: Any, name: str, rest: Steps) -> bool:
    if not isinstance(obj, dict) or name not in obj:
        return False
    if not rest or _remove(obj[name], rest):
        del obj[name]
    return not obj


def _names_item(steps: Steps) -> bool:
    """Whether a field is one by which its item is known: it goes with the item, never alone."""
    return (
        len(steps) > 1
        and steps[-2].startswith("k:")
        and steps[-1].removeprefix("f:") in json.loads(steps[-2][2:])
    )


def _anything_below(item: Steps, others: Owners, mine: Any) -> bool:
    return any(steps[: len(item)] == item for steps in (*_union(others), *mine))


def _union(held: Owners) -> Fields:
    return frozenset[Steps]().union(*held.values())


def _dotted(steps: Steps) -> str:
    """``.spec.template.spec.containers[name="catalog"].image``, as kubectl shows a conflict."""
    text = ""
    for step in steps:
        if step.startswith("f:"):
            text += f".{step[2:]}"
        elif step.startswith("k:"):
            text += (
                "["
                + ",".join(f"{key}={json.dumps(value)}" for key, value in json.loads(step[2:]).items())
                + "]"
            )
    return text
