"""Brokers that are Java programs: jars that scripts/brokers has fetched, and how they are started."""

import os
import shutil
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "meshwright" / "brokers"
QUICK = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xshare:auto")


def missing(name: str, says: str) -> str:
    """Why it cannot be started; empty when it can."""
    there = shutil.which("java") and (CACHE / name / "pom.xml").exists()
    return "" if there else f"{says} is not installed: scripts/brokers does it"


def java(name: str, heap: str, *command: str | Path) -> list[str | Path]:
    return ["java", *QUICK, f"-Xmx{heap}", "-cp", f"{CACHE / name}/*", *command]
