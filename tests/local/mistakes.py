"""Mistakes that users make in mesh.yaml, values and charts, and what they must be told."""

from __future__ import annotations

from collections.abc import Callable

from tests.local.project import Project

Break = Callable[[Project], None]


def broken_yaml(project: Project) -> None:
    project.file.write_text(project.file.read_text() + "images: [\n")


def broken_template(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    route.write_text(route.read_text() + "{{ .Values.a.b }}\n")


def unknown_host(project: Project) -> None:
    project.set(host="wep.default.svc.cluster.local")


def missing_subset(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    route.write_text(route.read_text().replace("port: {number", "subset: v9, port: {number"))


def wrong_weights(project: Project) -> None:
    route = project.folder / "chart" / "templates" / "route.yaml"
    line = "        - destination: {host: {{ .Values.host }}, port: {number: 50051}}\n"
    text = route.read_text()
    route.write_text(text.replace(line, (line + "          weight: 60\n") * 2))


def unknown_field(project: Project) -> None:
    project.set(route={"timeOut": "3s"})


def refused_field(project: Project) -> None:
    project.set(route={"fault": {"abort": {"http2Error": "CANCEL"}}})


def unknown_image(project: Project) -> None:
    project.set(image="other/web:1")


#: What does it, and parts of what is said about it.
MISTAKES: list[tuple[Break, list[str]]] = [
    (broken_yaml, ["mesh.yaml:", "MW0001"]),
    (broken_template, ["templates/route.yaml:", "MW0503"]),
    (unknown_host, ["templates/route.yaml:9", "wep.default", "did you mean"]),
    (missing_subset, ["templates/route.yaml:9", "subset 'v9'"]),
    (wrong_weights, ["templates/route.yaml:", "120"]),
    (unknown_field, ["templates/route.yaml:10", "MW0101", "timeOut", "did you mean timeout"]),
    (refused_field, ["templates/route.yaml:12", "MW0302", "http2Error"]),
    (unknown_image, ["templates/web.yaml:", "other/web:1", "mesh.yaml"]),
]
