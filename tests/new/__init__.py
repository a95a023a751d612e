"""`mesh new`: what it makes is checked, built and called."""
