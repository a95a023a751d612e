"""What a service that is spoken to in HTTP gets for free: the same habits as one that is spoken to in gRPC."""
