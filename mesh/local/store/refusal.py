"""What the store says no with.

The API turns a ``Refused`` into a Kubernetes Status; code in this process catches it by ``reason``.

Reasons and codes are those of k8s.io/apimachinery/pkg/apis/meta/v1 (StatusReason).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from mesh.local.store.kind import Kind


@dataclass(frozen=True)
class Cause:
    """One detail of a refusal: the field it is about and what is wrong with it."""

    message: str
    field: str = ""
    reason: str = "FieldValueInvalid"


@dataclass
class Refused(Exception):
    """A request that was not carried out; the state is what it was before."""

    code: int
    reason: str
    message: str
    kind: Kind | None = None
    name: str = ""
    causes: Sequence[Cause] = field(default_factory=tuple)

    def __str__(self) -> str:
        return self.message


def not_found(kind: Kind, name: str) -> Refused:
    return Refused(404, "NotFound", f'{kind.resource} "{name}" not found', kind, name)


def already_exists(kind: Kind, name: str) -> Refused:
    return Refused(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', kind, name)


def conflict(kind: Kind, name: str, why: str) -> Refused:
    text = f'Operation cannot be fulfilled on {kind.resource} "{name}": {why}'
    return Refused(409, "Conflict", text, kind, name)


def stale(kind: Kind, name: str) -> Refused:
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(kind, name, why)


def invalid(kind: Kind, name: str, causes: Sequence[Cause]) -> Refused:
    told = [f"{cause.field}: {cause.message}" if cause.field else cause.message for cause in causes]
    text = (
        f'{kind.name}.{kind.group} "{name}" is invalid: '
        if kind.group
        else f'{kind.name} "{name}" is invalid: '
    )
    return Refused(422, "Invalid", text + "; ".join(told), kind, name, tuple(causes))


def bad_request(message: str) -> Refused:
    return Refused(400, "BadRequest", message)


def unsupported(message: str) -> Refused:
    return Refused(415, "UnsupportedMediaType", message)


def expired(asked: int, oldest: int) -> Refused:
    text = f"too old resource version: {asked} ({oldest}); list again and watch from the version of that list"
    return Refused(410, "Expired", text)


def not_kept(why: str) -> Refused:
    """The write did not reach the disk. Nothing of it is visible: memory and disk are what they were."""
    text = f"the change was not kept: {why}; make room (or the directory writable) and send it again"
    return Refused(507, "InternalError", text)
