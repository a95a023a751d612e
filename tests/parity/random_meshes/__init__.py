"""Meshes that nobody chose by hand, drawn from a seed: what `make parity` compares with istiod.

One module a group of kinds. Every manifest is valid for istiod; names come from small pools, so that objects meet.
"""
