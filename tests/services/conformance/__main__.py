"""Tries the habits on a running service: `python -m tests.services.conformance 127.0.0.1:50051 SERVICE METHOD [JSON]`.

METHOD is one without side effects that answers the JSON with OK.
"""

import asyncio
import sys

from grpc import aio

from tests.services.conformance.habits import ALL, Target


async def main(target: Target) -> int:
    failed = 0
    for habit in ALL:
        try:
            await habit(target)
            print(f"ok      {habit.__name__}")
        except (AssertionError, aio.AioRpcError, TimeoutError) as error:
            failed += 1
            print(f"FAILED  {habit.__name__}: {error!r}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Target(*sys.argv[1:]))))
