"""`mesh build`: do now what `mesh up` would do before it starts a workload."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from mesh.cli.project import file_option, locate
from mesh.local.build import BuildFailed, build
from mesh.local.config import Config, load
from mesh.local.paths import Paths
from mesh.resources.problem import Severity


@click.command("build")
@file_option
@click.argument("images", nargs=-1)
def command(file: Path | None, images: tuple[str, ...]) -> None:
    """Build what mesh.yaml runs for IMAGES (all of them), where it is not up to date. Exits with 1 when something cannot be built."""
    path = locate(file)
    config, problems = load(path)
    for problem in problems:
        click.echo(str(problem))
    if config is None or any(p.severity is Severity.ERROR for p in problems):
        raise SystemExit(1)
    if unknown := [name for name in images if name not in config.settings.images]:
        raise click.UsageError(
            f"mesh.yaml has no image {unknown[0]}. It has: {', '.join(config.settings.images)}"
        )
    if not asyncio.run(_all(config, Paths.below(path.parent), images)):
        raise SystemExit(1)


async def _all(config: Config, paths: Paths, images: tuple[str, ...]) -> bool:
    well = True
    for name, image in config.settings.images.items():
        if (images and name not in images) or image.missing:
            continue
        try:
            await build(name, image, config, paths.build_log(name), _say)
        except BuildFailed as failed:
            well = False
            click.echo(f"{name} cannot be built: {failed}")
    return well


async def _say(text: str) -> None:
    click.echo(text)
