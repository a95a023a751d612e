"""Istio's API as frozen dataclasses, one module a kind. Field names are Istio's in snake_case; None or empty means not given."""
