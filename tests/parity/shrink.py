"""The smallest manifests that still show a difference: documents, fields and items are taken away as long as it stays."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

Manifests = list[dict[str, Any]]
Path = tuple[str | int, ...]
#: Without these an object is no longer what it was, so that another difference would be found.
_KEPT = frozenset(
    {
        "apiVersion",
        "kind",
        "metadata",
        "name",
        "namespace",
        "spec",
        "port",
        "number",
        "template",
        "containers",
    }
)
_WHOLE = frozenset({"Deployment", "Pod", "Service"})


def shrink(manifests: Manifests, differs: Callable[[Manifests], bool], workers: int = 2) -> Manifests:
    """``differs`` says of manifests whether the difference is still there; it is asked from ``workers`` threads at once."""
    with ThreadPoolExecutor(workers) as pool:
        smallest, changed = manifests, True
        while changed:
            changed = False
            for candidates in (_half_the_documents, _fewer_documents, _fewer_fields):
                found = _descend(smallest, candidates, differs, pool, workers)
                changed |= found is not smallest
                smallest = found
    return smallest


def _descend(
    manifests: Manifests,
    candidates: Callable[[Manifests, int], Iterator[Manifests]],
    differs: Callable[[Manifests], bool],
    pool: ThreadPoolExecutor,
    workers: int,
) -> Manifests:
    """Every candidate in turn; one that still differs is what the next are made from."""
    start = 0
    while True:
        batch = []
        for candidate in candidates(manifests, start):
            batch.append(candidate)
            if len(batch) == workers:
                break
        if not batch:
            return manifests
        verdicts = list(pool.map(differs, batch))
        if any(verdicts):
            start += verdicts.index(True)
            manifests = batch[verdicts.index(True)]
        else:
            start += len(batch)


def _half_the_documents(manifests: Manifests, start: int) -> Iterator[Manifests]:
    """Without a run of documents, long runs first."""
    size, runs = len(manifests) // 2, []
    while size > 1:
        runs += [(end - size, end) for end in range(len(manifests), size - 1, -size)]
        size //= 2
    for first, end in runs[start:]:
        yield manifests[:first] + manifests[end:]


def _fewer_documents(manifests: Manifests, start: int) -> Iterator[Manifests]:
    """Without one document, the last first: routes and policies go before the services that they name."""
    for i in range(len(manifests) - 1 - start, -1, -1):
        yield manifests[:i] + manifests[i + 1 :]


def _fewer_fields(manifests: Manifests, start: int) -> Iterator[Manifests]:
    read = [(i, m) for i, m in enumerate(manifests) if m["kind"] not in _WHOLE]
    paths = [(i, path) for i, manifest in read for path in _paths(manifest, ())]
    for i, path in paths[start:]:
        smaller = copy.deepcopy(manifests)
        holder: Any = smaller[i]
        for part in path[:-1]:
            holder = holder[part]
        del holder[path[-1]]
        yield smaller


def _paths(value: Any, path: Path) -> Iterator[Path]:
    """What can be taken away, whole branches before what is in them."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    for key in keys:
        here = (*path, key)
        if key not in _KEPT:
            yield here
        yield from _paths(value[key], here)
