"""What follows from the contracts beyond code: that every method has a policy, that charts call only what they may, a page of documentation
for each service, and the cases that `mesh test` compares the charts with. Used by scripts/generate, by no service.
"""
