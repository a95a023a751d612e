"""storefront: the one entry point for callers from outside, REST and GraphQL over the gRPC services behind."""
