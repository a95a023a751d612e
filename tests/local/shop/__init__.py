"""The shop by `mesh up`: one mesh for all of these tests, each of which leaves it as it was."""
