"""`make bench`: the figures that the project watches, each as a ratio from one run, because the machines are shared and noisy."""
