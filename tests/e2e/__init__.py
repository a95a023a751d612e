"""What Helm does with the charts on a real cluster. `make e2e` runs these beside the scenarios."""
