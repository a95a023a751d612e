"""The catalog as it was before there were tags: its code, and the one revision that it knows."""
