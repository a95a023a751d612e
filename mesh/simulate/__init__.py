"""What Envoy resources do with a request, step by step, without an Envoy.

Knows only Envoy's messages: compile's, istiod's or those of a proxy's config dump are the same to it. `mesh.explain` reads its traces.
"""
