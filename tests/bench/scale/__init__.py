"""What a change costs in a mesh of many services: ours and istiod's, served to the same proxies in the same run."""
