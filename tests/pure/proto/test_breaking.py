"""buf, as `make check` asks it: what would break those who use a contract is refused, and what would not is let through."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BUF = Path(sys.executable).with_name("buf")
Change = tuple[str, str, str]  # a file below proto/shop, what is in it, and what is to be there instead

BREAKING = {
    "a removed field": ("events/v1/events.proto", "  // Whose it is.\n  string customer_id = 2;\n", ""),
    "a changed number": ("events/v1/events.proto", "string order_id = 1;", "string order_id = 9;"),
    "a changed type": ("money/v1/money.proto", "int64 minor = 2", "string minor = 2"),
    "a renamed field": ("events/v1/events.proto", "int32 quantity = 2;", "int32 amount = 2;"),
    "a renamed method": ("payments/v1/payments.proto", "rpc Refund(", "rpc PayBack("),
    "a removed value": (
        "orders/v1/orders.proto",
        "  // Its steps are being done.\n  ORDER_STATE_PLACING = 1;\n",
        "",
    ),
    "a method that streams now": (
        "payments/v1/payments.proto",
        "returns (ListCharges",
        "returns (stream ListCharges",
    ),
    "another request": (
        "payments/v1/payments.proto",
        "rpc Refund(RefundRequest)",
        "rpc Refund(GetChargeRequest)",
    ),
}
HARMLESS = {
    "a new field": (
        "orders/v1/orders.proto",
        "message OrderItem {",
        "message OrderItem {\n  // A greeting.\n  string greeting = 15;",
    ),
    "a new event": (
        "events/v1/events.proto",
        "  oneof payload {",
        "  oneof payload {\n    // Again.\n    OrderPlaced order_placed_again = 99;",
    ),
    "another comment": ("payments/v1/payments.proto", "// Money taken and given back.", "// Money."),
}


def breaking(folder: Path, change: Change) -> subprocess.CompletedProcess[str]:
    """What buf says of the contracts with a change, against those as they are."""
    shutil.copytree(ROOT / "proto", folder / "proto")
    shutil.copy(ROOT / "buf.yaml", folder)
    name, before, after = change
    file = folder / "proto" / "shop" / name
    text = file.read_text()
    assert before in text, f"{name} has no {before!r} any more"
    file.write_text(text.replace(before, after, 1))
    command: Sequence[str | Path] = (BUF, "breaking", "--against", ROOT)
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("what", BREAKING)
def test_what_breaks_others_is_refused(what: str, tmp_path: Path) -> None:
    found = breaking(tmp_path, BREAKING[what])
    assert found.returncode == 100, found.stderr
    assert f"proto/shop/{BREAKING[what][0]}:" in found.stdout


@pytest.mark.parametrize("what", HARMLESS)
def test_what_breaks_nobody_passes(what: str, tmp_path: Path) -> None:
    found = breaking(tmp_path, HARMLESS[what])
    assert (found.returncode, found.stdout) == (0, "")
