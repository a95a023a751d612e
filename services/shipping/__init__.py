"""shipping: goods sent and kept from being sent, each under a key. Contract: proto/shop/shipping/v1."""
