"""Asking the mesh whether a change makes sense, and turning its Problems into a refusal.

The hook is given by whoever opens the store (link and compile behind it); without one everything is accepted.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence

from mesh.local.store.draft import Draft
from mesh.local.store.object import Key, Object, kind_of, name_of
from mesh.local.store.refusal import Cause, invalid
from mesh.resources.problem import Problem, Severity

Validate = Callable[[Sequence[Object], Sequence[Object]], Iterable[Problem] | Awaitable[Iterable[Problem]]]
"""Called before a write with the objects it would put in place and with all objects as they would then be.
Returns what is wrong with those put in place: an ERROR refuses the write, a WARNING is handed back with the
answer. Not called for statuses, Events and deletions.

It runs inside the write, so it must not write itself, and every other write waits for it: return at once when
nothing put in place is of a kind that matters (Pods).
"""


async def check(draft: Draft, before: Mapping[Key, Object], validate: Validate | None) -> tuple[Problem, ...]:
    """The warnings about what the draft puts in place. Raises Refused (422) when there are errors."""
    proposed = [
        obj for where, obj in draft.changes.items() if obj is not None and _says_more(before.get(where), obj)
    ]
    if validate is None or not proposed:
        return ()
    found = validate(proposed, list(draft.all()))
    problems = sorted(await found if inspect.isawaitable(found) else found)
    errors = [problem for problem in problems if problem.severity is Severity.ERROR]
    if errors:
        first = proposed[0]
        raise invalid(
            kind_of(first), name_of(first), [_cause(problem, len(proposed) > 1) for problem in errors]
        )
    return tuple(problems)


def _says_more(old: Object | None, new: Object) -> bool:
    """Whether a change is about more than status and bookkeeping."""
    return new["kind"] != "Event" and (old is None or _meaning(old) != _meaning(new))


def _meaning(obj: Object) -> Object:
    metadata = {name: obj["metadata"].get(name) for name in ("labels", "annotations", "ownerReferences")}
    return {**obj, "metadata": metadata, "status": None}


def _cause(problem: Problem, several: bool) -> Cause:
    told = f"{problem.code} {problem.message}"
    if problem.fix:
        told += f" ({problem.fix})"
    return Cause(f"{problem.place}: {told}" if several else told, problem.place.path)
