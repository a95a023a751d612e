"""The control plane is killed, stays away and is replaced while calls go on: none fails."""

from __future__ import annotations

import time

from tests.local.project import Project, until
from tests.scenarios.local import Local
from tests.scenarios.orders import request


def test_a_killed_control_plane_loses_no_call(folder: Project, shop: Local) -> None:
    """Not while it is away, not when the next takes over, not when that one changes configuration."""
    control = folder.control_plane()
    rest = set(folder.processes()) - {control}
    outside = shop.at("ingress")
    with outside.load("catalog", "ListProducts") as answers:
        folder.kill(control)
        until(lambda: control not in folder.processes(), "it is gone")
        assert set(folder.processes()) >= rest
        done = folder.mesh("up", "--detach")
        assert done.code == 0, done.text
        shop.edit("VirtualService", "catalog", lambda spec: spec["http"][0].update(timeout="9s"))
    assert rest <= set(folder.processes())
    assert len(answers) > 50
    assert [a for a in answers if not a.ok] == []


def test_without_a_control_plane_orders_are_placed_and_status_says_what_to_do(
    folder: Project, shop: Local
) -> None:
    with shop.at("ingress").load("orders", "PlaceOrder", request(), concurrency=1) as answers:
        folder.kill(folder.control_plane())
        try:
            done = folder.mesh("status")
            time.sleep(1)
        finally:
            assert folder.mesh("up", "--detach").code == 0
    assert done.code == 1
    assert "`mesh up` starts it again" in done.text
    assert answers
    assert {a.response["order"]["state"] for a in answers} == {"ORDER_STATE_CONFIRMED"}
