"""`make bench`, or `python -m tests.bench [-o json] SECTION...`: start, memory, calls, orders, edits and kit, all from one run."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence

from tests.bench import kit, report
from tests.bench.calls import calls
from tests.bench.edits import edits
from tests.bench.placing import orders
from tests.bench.shop import running, start
from tests.bench.weight import memory

OF_THE_SHOP = {"start": start, "memory": memory, "calls": calls, "orders": orders, "edits": edits}
SECTIONS = (*OF_THE_SHOP, "kit")


def main(arguments: Sequence[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument(
        "sections", nargs="*", metavar="SECTION", help=f"of {', '.join(SECTIONS)}; all when none is named"
    )
    parser.add_argument("-o", "--output", choices=["text", "json"], default="text")
    asked = parser.parse_args(arguments)
    if unknown := set(asked.sections) - set(SECTIONS):
        parser.error(f"there is no section {', '.join(sorted(unknown))}; there are: {', '.join(SECTIONS)}")
    wanted = asked.sections or SECTIONS
    signal.signal(signal.SIGTERM, signal.default_int_handler)

    rows: list[report.Row] = []
    if any(section in OF_THE_SHOP for section in wanted):
        with running() as shop:
            for section in (s for s in OF_THE_SHOP if s in wanted):
                print(f"measuring {section}", file=sys.stderr)
                rows += OF_THE_SHOP[section](shop)
    if "kit" in wanted:
        print("measuring kit", file=sys.stderr)
        rows += kit.rows()
    print(report.dump(rows) if asked.output == "json" else report.text(rows))


if __name__ == "__main__":
    main(sys.argv[1:])
