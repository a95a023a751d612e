"""`mesh dash`: one page on a mesh, on this machine or on a cluster.

Everything it shows is read from what both have, each behind a small protocol: Prometheus' query API (prometheus), Jaeger's
(jaeger), the Kubernetes API (kubernetes). Out of them topology makes the graph, traces the waterfalls, change the edits;
app serves them, as JSON, to the page in page/, which is built from web/ and committed.
"""
