"""What mesh.simulate says of random meshes and requests, against what one real Envoy does that plays all of a mesh's proxies at once."""
