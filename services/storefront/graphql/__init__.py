"""GraphQL over the same services: one batched call a level, limits on what a query may cost, subscriptions over WatchOrder.

Loaded with the first request: Strawberry takes a third of a second and ten megabytes that a caller of REST need not pay.
"""
