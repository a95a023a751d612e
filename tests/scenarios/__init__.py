"""What the shop does in the mesh, each said once and seen on both engines: `mesh up` here, Istio on a cluster.

``-m "not cluster"`` runs them here, ``-m cluster`` on the cluster of the kubeconfig, where the charts are installed (`make e2e` does both).
"""
