"""The lines by which a project knows a service, put into its files as text, so that all else in them stays as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

Change = Callable[[str, str], str]


class NotWired(Exception):
    """A file has no place for the line; the text says which, and what to add."""


def changes(root: Path, name: str, language: str) -> dict[str, str]:
    """The files that change, by their paths, with their new texts. Raises NotWired, OSError."""
    made: dict[str, str] = {}
    for path, change in (*EVERYWHERE, *OWN[language]):
        text = made.get(path) or (root / path).read_text()
        changed = change(text, name)
        if changed == text:
            raise NotWired(f"{path} has no place for {name}: is it still as the shop's is?")
        made[path] = changed
    return made


def _under(key: str, lines: str, text: str, name: str) -> str:
    """Adds lines at the end of what is indented below a line of its own, such as `images:`."""
    found = text.splitlines(keepends=True)
    start = next((i for i, line in enumerate(found) if line.rstrip() == key), None)
    if start is None:
        return text
    end = start + 1
    for i in range(start + 1, len(found)):
        if found[i].strip() and not found[i].startswith((" ", "#")):
            break
        if found[i].startswith(" "):
            end = i + 1
    return "".join([*found[:end], lines.format(name=name, Name=name.capitalize()), *found[end:]])


def _after(pattern: str, addition: str, text: str, name: str) -> str:
    """Adds something behind the first match of a pattern."""
    added = addition.format(name=name)
    return re.sub(pattern, lambda found: found[0] + added, text, count=1, flags=re.MULTILINE)


EVERYWHERE: Final[Iterable[tuple[str, Change]]] = (
    ("charts/shop/Chart.yaml", partial(_under, "dependencies:", "  - {{name: {name}, version: 0.1.0}}\n")),
    (
        "charts/shop/values.schema.json",
        partial(_after, r'^  "properties": \{\n', '    "{name}": {{"type": "object"}},\n'),
    ),
    (
        "charts/shop/charts/ingress/values.yaml",
        partial(
            _under,
            "calls:",
            "  - to: {name}\n"
            "    service: shop.{name}.v1.{Name}Service\n"
            "    methods: [PutNote, GetNote]\n"
            "    reflection: true\n",
        ),
    ),
    ("charts/shop/templates/test.yaml", partial(_after, r"^ +args: \[", "{name}:50051, ")),
)
_BUILT: Final = "  shop/{name}:\n    needs: %s\n    cwd: services\n    build:\n%s    run: %s\n"
_GO: Final = _BUILT % (
    "[go]",
    "      - run: [go, build, -o, build/{name}, ./{name}]\n"
    "        makes: build/{name}\n"
    "        sources: [go.mod, go.sum, gen/go, gokit, {name}]\n",
    "[build/{name}]",
)
_TYPESCRIPT: Final = _BUILT % (
    "[node, npm]",
    "      - run: [npm, ci, --loglevel=error]\n"
    "        makes: node_modules/.package-lock.json\n"
    "        sources: [package.json, package-lock.json]\n"
    "      - run: [node_modules/.bin/tsc, -p, .]\n"
    "        makes: build/ts/{name}/main.js\n"
    "        sources: [package-lock.json, tsconfig.json, gen/ts, tskit, {name}]\n",
    "[node, build/ts/{name}/main.js]",
)
_PYTHON: Final = "  shop/{name}: {{run: [python, -m, services.{name}]}}\n"
_OTHERS: Final = r"^for each in"
OWN: Final[Mapping[str, Iterable[tuple[str, Change]]]] = {
    "python": (
        ("mesh.yaml", partial(_under, "images:", _PYTHON)),
        ("charts/shop/charts/database/values.yaml", partial(_after, r"^of: \[", "{name}, ")),
        ("scripts/images", partial(_after, r"^for service in", " {name}")),
    ),
    "go": (
        ("mesh.yaml", partial(_under, "images:", _GO)),
        ("scripts/images", partial(_after, _OTHERS, " {name}:go")),
    ),
    "typescript": (
        ("mesh.yaml", partial(_under, "images:", _TYPESCRIPT)),
        ("scripts/images", partial(_after, _OTHERS, " {name}:ts")),
    ),
}
