"""operator: a pod from which people call what only operators may; it serves nobody."""
