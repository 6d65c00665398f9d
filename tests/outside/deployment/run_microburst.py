"""Runs microburst as a proxy before ministack's tables. Arguments: its own port, and that of ministack."""

import sys

import microburst.cli
from microburst.forward import Upstream

prepared = Upstream._outbound_headers


def signed_for(self, request):
    """A request's signature covers the host that it was sent to; ministack is to see that one."""
    return prepared(self, request) | {"host": request.headers["host"]}


Upstream._outbound_headers = signed_for

if __name__ == "__main__":
    sys.exit(microburst.cli.main(["--port", sys.argv[1], "--upstream", f"http://127.0.0.1:{sys.argv[2]}"]))
