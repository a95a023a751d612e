"""Socket addresses and address ranges."""

from __future__ import annotations

import ipaddress

from envoy.config.core.v3.address_pb2 import Address, CidrRange

ANY = "0.0.0.0"  # noqa: S104  (Envoy listens there only where traffic is captured)
LOOPBACK = "127.0.0.1"


def socket_address(address: str, port: int) -> Address:
    return Address(socket_address={"address": address, "port_value": port})


def address(name: str, port: int) -> Address:
    """A host and port, or a Unix socket: what begins with a slash or ``unix://``, and whatever has port 0."""
    if port and not name.startswith(("/", "unix://")):
        return socket_address(name, port)
    return Address(pipe={"path": name.removeprefix("unix://")})


def cidr(block: str) -> CidrRange:
    """``10.1.0.0/16`` or one address. Raises ValueError for anything else."""
    network = ipaddress.ip_interface(block)
    return CidrRange(address_prefix=str(network.ip), prefix_len={"value": network.network.prefixlen})
