"""payments: money taken and given back, each under a key. Contract: proto/shop/payments/v1."""
