"""Who calls, and what that one may do: tokens that the mesh has read, API keys of our own, and guests in development."""
