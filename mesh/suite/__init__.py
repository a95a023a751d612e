"""Policy tests: YAML beside a chart says what requests ought to meet, `mesh test` compares that with what they do meet.

``read`` parses the files, ``expand`` makes one Question of each combination, ``run`` asks them and ``compare`` says what differs. Who answers
(mesh.explain on files, a running mesh, a cluster) is not known here.
"""
