"""REST: resources under /v1, described by /openapi.json."""
