"""What a Python service of the shop gets for free. A service imports from here; nothing here imports a service.

Start reading at `main` (how a process starts and ends), then `boundary` (what happens around each call).
"""
