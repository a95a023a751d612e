"""A mesh that runs, here or on a cluster, as mesh.explain asks about it: the objects of its Kubernetes API, and what its proxies really run.

``objects`` reads the API through whatever can GET a path; ``scene`` puts both together. How to reach an API and a proxy is mesh.local's and
mesh.cluster's to know. Used by mesh.cli.
"""
