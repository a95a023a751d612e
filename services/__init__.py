"""The shop: a reference system of gRPC services, each with its own contract, database and chart."""
