"""The observatory as a process: `python -m mesh.observe --otlp PORT --http PORT --socket SOCKET [--targets FILE] [--logs FOLDER] FILE`, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import uvloop

from mesh.observe.serve import serve
from mesh.observe.spans import Bounds

#: Of the process, as nice(1) has it: where processors are short, what is observed goes first, and spans are written a little later.
POLITENESS = 5


def main() -> int:
    parser = argparse.ArgumentParser(prog="mesh.observe")
    parser.add_argument("--otlp", type=int, required=True, help="port for OTLP over gRPC")
    parser.add_argument("--http", type=int, required=True, help="port for OTLP over HTTP and for questions")
    parser.add_argument("--socket", required=True, help="Unix socket for OTLP over gRPC")
    parser.add_argument("--keep", type=float, default=Bounds.age, help="seconds that spans are kept")
    parser.add_argument(
        "--targets", type=Path, help="whose metrics are scraped: a file as mesh.local.targets writes it"
    )
    parser.add_argument("--logs", type=Path, help="the folder of the pods' logs, a folder a pod")
    parser.add_argument("file", type=Path, help="where spans are kept")
    given = parser.parse_args()
    os.nice(POLITENESS)
    given.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        bounds = Bounds(age=given.keep)
        serving = serve(given.file, given.otlp, given.http, given.socket, bounds, given.targets, given.logs)
        uvloop.run(serving)
    except (OSError, RuntimeError) as error:
        print(f"cannot observe: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
