"""Which files a new service has, by its language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mesh.new import wiring
from mesh.new.wiring import NotWired

TEMPLATES: Final = Path(__file__).parent / "templates"
SUFFIX: Final = ".tmpl"
NAME: Final = re.compile(r"[a-z]{2,16}")
LANGUAGES: Final = ("python", "go", "typescript")
#: Where a template's file goes; those not named here go to services/NAME. The longest beginning decides.
PLACES: Final[Mapping[str, str]] = {
    "all/proto/service.proto": "proto/shop/{name}/v1/{name}.proto",
    "all/test_service.py": "tests/services/test_{name}.py",
    "all/chart/": "charts/shop/charts/{name}/",
    "python/values": "charts/shop/charts/{name}/values",
    "go/values": "charts/shop/charts/{name}/values",
    "typescript/values": "charts/shop/charts/{name}/values",
    "python/versions/": "services/{name}/migrations/versions/",
    "python/env.py": "services/{name}/migrations/env.py",
    "python/script.py.mako": "services/{name}/migrations/script.py.mako",
}


class CannotMake(Exception):
    """The text says what is in the way."""


@dataclass(frozen=True)
class Made:
    """Paths are relative to the project."""

    added: tuple[str, ...]
    changed: tuple[str, ...]


def make(root: Path, name: str, language: str) -> Made:
    """Raises CannotMake, and has then written nothing."""
    if not NAME.fullmatch(name):
        raise CannotMake(f"{name!r} cannot be a service's name: take 2 to 16 small letters")
    new = dict(_files(name, language))
    if taken := [path for path in [*new, f"services/{name}"] if (root / path).exists()]:
        raise CannotMake(f"there is a {taken[0]} already")
    try:
        changed = wiring.changes(root, name, language)
    except (NotWired, OSError) as error:
        raise CannotMake(str(error)) from error
    for path, text in {**new, **changed}.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    return Made(tuple(sorted(new)), tuple(sorted(changed)))


def _files(name: str, language: str) -> Iterator[tuple[str, str]]:
    for folder in ("all", language):
        for template in sorted((TEMPLATES / folder).rglob(f"*{SUFFIX}")):
            inside = str(template.relative_to(TEMPLATES)).removesuffix(SUFFIX)
            text = template.read_text().replace("__name__", name).replace("__Name__", name.capitalize())
            yield _place(inside, name), text


def _place(inside: str, name: str) -> str:
    beginning = max((each for each in PLACES if inside.startswith(each)), key=len, default="")
    if beginning:
        return PLACES[beginning].format(name=name) + inside.removeprefix(beginning)
    return f"services/{name}/{inside.partition('/')[2]}"
