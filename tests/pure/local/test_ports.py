"""Loopback ports: free ones, each given once, and kept by the Pod that has them."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

import pytest

from mesh.local import ports
from mesh.local.ports import ANNOTATION, BLOCK, FIRST, LAST, Allocator, NoPort, Ports

GIVEN = Ports({50051: 20001}, {50051: 20002}, {("catalog.shop.svc.cluster.local", 50051): 20003}, {80: 20004})


def pod(given: Ports, name: str = "web") -> dict[str, object]:
    return {"metadata": {"name": name, "namespace": "shop", "annotations": {ANNOTATION: given.dump()}}}


def test_a_pod_remembers_its_ports() -> None:
    assert ports.of(pod(GIVEN)) == GIVEN
    assert ports.of({"metadata": {}}) == Ports()
    assert GIVEN.used == {20001, 20002, 20003, 20004}


@pytest.fixture
def allocator() -> Iterator[Allocator]:
    with contextlib.closing(Allocator()) as made:
        yield made


def test_a_port_is_given_once_until_it_is_released(allocator: Allocator) -> None:
    given = [allocator.take() for _ in range(2 * BLOCK)]
    assert len(set(given)) == len(given)
    allocator.release(given[:1])
    assert allocator.take() == given[0]


def test_a_port_on_which_somebody_listens_is_not_given(allocator: Allocator) -> None:
    first = allocator.take()
    allocator.release([first])
    with socket.socket() as other:
        other.bind(("127.0.0.1", first))
        assert allocator.take() != first


def test_meshes_that_start_together_give_different_ports(allocator: Allocator) -> None:
    with contextlib.closing(Allocator()) as other:
        mine, theirs = ({each.take() for _ in range(300)} for each in (allocator, other))
        assert not mine & theirs


def test_when_there_is_none_it_says_so() -> None:
    with (
        contextlib.closing(Allocator(range(FIRST, LAST))) as allocator,
        pytest.raises(NoPort, match="no free port between"),
    ):
        allocator.take()


def test_a_server_has_a_port_for_its_sidecar_and_one_for_itself(allocator: Allocator) -> None:
    given = allocator.serving(Ports(), [50051, 9090], gateway=False)
    assert given.inbound.keys() == given.application.keys() == {50051, 9090}
    assert len(given.used) == 4
    assert not given.gateway


def test_a_gateway_has_one_port_each(allocator: Allocator) -> None:
    given = allocator.serving(Ports(), [80, 443], gateway=True)
    assert given.gateway.keys() == {80, 443}
    assert not given.inbound
    assert not given.application


def test_what_a_pod_was_given_it_keeps(allocator: Allocator) -> None:
    assert allocator.serving(GIVEN, [50051], gateway=False) == GIVEN
    more = allocator.calling(GIVEN, [("orders.shop.svc.cluster.local", 50051)])
    assert GIVEN.outbound.items() < more.outbound.items()
    assert more.outbound["orders.shop.svc.cluster.local", 50051] not in GIVEN.used


def test_a_placement_knows_every_pods_ports() -> None:
    found = ports.placement([pod(GIVEN, "a"), {"metadata": {"name": "b", "namespace": "shop"}}])
    assert found.local
    assert found.inbound == {(("shop", "a"), 50051): 20001}
    assert found.application == {(("shop", "a"), 50051): 20002}
    assert found.outbound == {(("shop", "a"), "catalog.shop.svc.cluster.local", 50051): 20003}
    assert found.gateway == {(("shop", "a"), 80): 20004}
