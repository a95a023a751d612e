"""What a mesh's configuration does to its services' contracts: findings that need to know which methods there are, and which may be repeated.

``methods`` and ``read`` say what a contract is and where it comes from (a chart's contract.yaml, a set of proto descriptors); ``serving`` finds out
who serves it; each other module is one kind of finding, and ``check`` has them all. Used by `mesh check`.
"""
