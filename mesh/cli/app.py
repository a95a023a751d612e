"""Which commands there are. A command's own module is loaded when it runs, or when its own help is asked for."""

from __future__ import annotations

import importlib
from typing import Final

import click

#: Command -> (module, one line of help). The order is that of `mesh --help`.
COMMANDS: Final = {
    "up": ("mesh.cli.up", "Run the mesh of mesh.yaml on this machine."),
    "build": ("mesh.cli.build", "Build what mesh.yaml runs, without running it."),
    "new": ("mesh.cli.new", "Make a service of your own, in Python, Go or TypeScript."),
    "down": ("mesh.cli.down", "Stop it and leave nothing behind."),
    "status": (
        "mesh.cli.status",
        "What runs, who it is, and whether its proxy has accepted its configuration.",
    ),
    "call": ("mesh.cli.call", "Call a method of a service, from the place of a workload."),
    "address": ("mesh.cli.address", "Print where a service can be called from this machine."),
    "logs": ("mesh.cli.logs", "What workloads write."),
    "top": ("mesh.cli.top", "Who calls whom now, how often, how well and how fast."),
    "traces": ("mesh.cli.traces", "Requests that the mesh has seen."),
    "trace": ("mesh.cli.trace", "One request: who called whom, and what took how long."),
    "dash": ("mesh.cli.dash", "Show the mesh on a page in a browser."),
    "check": ("mesh.cli.check", "Say what is wrong with manifests or a chart, without running anything."),
    "explain": (
        "mesh.cli.explain",
        "Say what a request would meet: allowed or not, by which line, where it goes.",
    ),
    "test": ("mesh.cli.test", "Compare what requests meet with what the tests beside the charts expect."),
    "xds": ("mesh.cli.xds", "Print the Envoy configuration that manifests become."),
}


class _Group(click.Group):
    """Finds a command's module by its name."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = importlib.import_module(COMMANDS[cmd_name][0]).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            known = ", ".join(COMMANDS)
            raise click.UsageError(f"there is no command {args[0]!r}. There are: {known}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="meshwright", prog_name="mesh")
def main() -> None:
    """A service mesh for gRPC services, defined once in Helm charts.

    On a cluster it runs inside Istio; on one machine `mesh up` runs the same charts behind real Envoys.
    """
