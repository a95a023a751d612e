"""Meshwright: a service mesh for gRPC services, defined once in Helm charts.

The packages form a pipeline that points one way (import-linter keeps it): ``resources`` parses, ``model`` is what was meant,
``link`` connects it, ``compile`` makes Envoy configuration of it, ``xds`` and ``ca`` serve it, ``local`` and ``cluster`` run it,
``cli`` is what a user types. docs/architecture.md draws it.
"""

__version__ = "0.1.0"
