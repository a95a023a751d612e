"""Events: told by a service in the transaction that makes the change, published after it, handled once by each consumer.

`outbox` keeps them with the change; `relay` publishes what it keeps, through a `broker` that EVENTS_URL names; `consumer`
handles what arrives, and `inbox` remembers what was handled. `deadletters` is for people. The contract is
proto/shop/events/v1, and no module here looks into a payload.
"""
