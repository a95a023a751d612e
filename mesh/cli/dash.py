"""`mesh dash`: the page on the mesh that runs here, or on a cluster, until Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from mesh.cli.project import file_option, locate
from mesh.local import observatory
from mesh.local.paths import Paths

if TYPE_CHECKING:
    from mesh.dash.sources import Sources, Urls

_LOCAL_WINDOW: Final = 30.0
_CLUSTER_WINDOW: Final = 120.0
_LARGEST_PORT: Final = 65535


@click.command("dash")
@file_option
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="A cluster's, instead of the mesh that runs here."
)
@click.option("--context", default="", help="A context of the kubeconfig. Default: its current one.")
@click.option("--prometheus", default="", metavar="URL", help="Where the cluster's Prometheus answers.")
@click.option("--jaeger", default="", metavar="URL", help="Where the cluster's Jaeger answers.")
@click.option(
    "--port", default=0, type=click.IntRange(0, _LARGEST_PORT), help="Port of 127.0.0.1. Default: a free one."
)
@click.option("--open", "open_", is_flag=True, help="Open it in a browser.")
def command(
    file: Path | None,
    kubeconfig: Path | None,
    context: str,
    prometheus: str,
    jaeger: str,
    port: int,
    open_: bool,
) -> None:
    """Show the mesh on a page: who calls whom, how well, by which rules.

    Of the mesh that runs here; with --kubeconfig or --context, of a cluster. Prints a link that lets one browser in; when it has been
    used, another. Ctrl-C ends it.
    """
    from mesh.dash.kubeconfig import CannotRead
    from mesh.dash.serve import serve
    from mesh.dash.sources import Urls

    try:
        cluster = kubeconfig is not None or context
        given = Urls(prometheus, jaeger)
        sources = _cluster(kubeconfig, context, given) if cluster else _local(file, given)
    except CannotRead as error:
        raise click.ClickException(str(error)) from None
    links = Links(open_)
    try:
        asyncio.run(serve(sources, port, links.said))
    except OSError as error:
        raise click.ClickException(f"cannot serve on port {port}: {error.strerror}") from None


class Links:
    """Prints each link, and opens the first."""

    def __init__(self, open_: bool) -> None:
        self._open = open_
        self._first = True

    def said(self, link: str) -> None:
        click.echo(link if self._first else f"for another browser: {link}")
        if self._first:
            click.echo("Ctrl-C ends it.")
            if self._open:
                webbrowser.open(link)
        self._first = False


def _local(file: Path | None, given: Urls) -> Sources:
    from mesh.dash.sources import Urls, opened

    paths = Paths.below(locate(file).parent)
    if not paths.kubeconfig.is_file():
        raise click.ClickException("no mesh is up here: `mesh up` starts it, --kubeconfig shows a cluster")
    watching = observatory.find(paths)
    own = watching.url if watching else ""
    urls = Urls(given.prometheus or own, given.jaeger or own, own)
    return opened(paths.root.parent.name, paths.kubeconfig, "", urls, _LOCAL_WINDOW, paths.progress)


def _cluster(kubeconfig: Path | None, context: str, given: Urls) -> Sources:
    from mesh.dash.sources import opened

    default = os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0] or Path.home() / ".kube" / "config"
    path = kubeconfig or Path(default)
    return opened(context or path.stem, path, context, given, _CLUSTER_WINDOW)
