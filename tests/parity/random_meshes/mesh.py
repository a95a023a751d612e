"""A whole random mesh."""

from __future__ import annotations

from tests.parity.random_meshes import edges, outside, patches, policies, routes, rules
from tests.parity.random_meshes.dice import Dice
from tests.parity.random_meshes.world import Manifest, World, populate


def random_mesh(seed: int | str) -> list[Manifest]:
    """The manifests that a seed stands for."""
    world = World(Dice(seed))
    populate(world)
    for draw in (
        outside.entries,
        edges.gateways,
        edges.sidecars,
        rules.destination_rules,
        routes.virtual_services,
        policies.peer_authentications,
        policies.authorization_policies,
        policies.mesh_config,
        policies.custom_policies,
        policies.request_authentications,
        patches.envoy_filters,
    ):
        draw(world)
    return world.manifests
