"""(Mesh, Workload, Placement) -> Snapshot, as istiod 1.31 translates it. One module a feature."""

from mesh.compile.compiler import Compiler, compile_proxy

__all__ = ["Compiler", "compile_proxy"]
