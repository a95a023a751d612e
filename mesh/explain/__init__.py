"""What a request meets and why, for people: traces of mesh.simulate with the workloads, resources and lines of a mesh. Used by mesh.cli."""
