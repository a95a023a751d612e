"""`mesh up` and what follows from it, run as a user runs it, each in a folder of its own."""
