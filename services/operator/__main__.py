"""What an operator does about sagas that do not come to their end by themselves.

    python -m services.operator                      waits, so that there is a pod to be in
    python -m services.operator list [--stuck]       the sagas of orders that have not ended
    python -m services.operator retry ID...          has their steps tried again now
    python -m services.operator compensate ID...     has them undone

Run in the pod of the operator's Deployment, for instance by `kubectl exec deploy/operator -- python -m services.operator list`. Input:
ORDERS_ADDRESS. Output: a line of JSON a saga; the exit code is 1 when a call was refused, and says why.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

ENDS = {signal.SIGTERM, signal.SIGINT}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m services.operator", description=__doc__)
    parser.add_argument("do", nargs="?", choices=("list", "retry", "compensate"))
    parser.add_argument("ids", nargs="*", metavar="ID")
    parser.add_argument("--stuck", action="store_true", help="list only those that failed too often")
    asked = parser.parse_args(arguments)
    if asked.do is None:
        signal.sigwait(ENDS)
        return 0
    from services.operator import sagas  # a pod that only waits stays small

    try:
        for line in sagas.lines(os.environ["ORDERS_ADDRESS"], asked.do, asked.ids, asked.stuck):
            print(line)
    except sagas.CallRefused as refused:
        print(refused, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    if len(sys.argv) == 1:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDS)
    sys.exit(main(sys.argv[1:]))
