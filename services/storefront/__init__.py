"""storefront: the one entry point for callers from outside, REST over the gRPC services behind."""
