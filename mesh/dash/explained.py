"""`mesh explain` on the running objects: what a call would meet, by which lines of which object. Used by service."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, Final

from mesh.dash.findings import typed
from mesh.dash.malformed import Malformed
from mesh.dash.sources import Sources
from mesh.explain.judge import answer
from mesh.explain.nearest import Unknown
from mesh.explain.question import Question, asked
from mesh.explain.words import headline, lines
from mesh.link.link import link
from mesh.live.scene import Live
from mesh.local import ports
from mesh.model.mesh import CLUSTER

_LONGEST: Final = 400


def explained(sources: Sources, source: str, to: str, method: str) -> dict[str, Any]:
    """``verdict``, a headline, and lines with the place that each is from; a policy of timeouts and retries. Raises Malformed."""
    if not all((source, to, method)) or max(map(len, (source, to, method))) > _LONGEST:
        raise Malformed("say from which workload, to which service, and which method")
    objects = sources.kubernetes.objects()
    mesh, _ = link(typed(objects)[0], running=True)
    pods = [each for each in objects if each["kind"] == "Pod"]
    placement = ports.placement(pods) if sources.local else CLUSTER
    scene = Live(mesh, _nobody, placement).wanted
    try:
        found = answer(asked(Question(source, to, f"/{method.lstrip('/')}"), scene), scene)
    except Unknown as told:
        raise Malformed(str(told)) from None
    return {
        "verdict": found.verdict,
        "headline": headline(found),
        "lines": [asdict(each) for each in lines(found)],
        "timeout": found.timeout,
    }


def _nobody(workload: object, page: str) -> Any:
    raise NotImplementedError("the objects are asked, not the proxies")
