"""What is wrong between contracts and charts is said with its place, and with the lines that mend it."""

import re
import shutil
from pathlib import Path

import pytest

from services.contracts import charts, protos
from services.contracts.problems import POLICY, problems

ROOT = Path(__file__).resolve().parents[4]
PAYMENTS = "proto/shop/payments/v1/payments.proto"
POLICY_OF_CHARGE = re.compile(
    r"(rpc Charge.*?\{\n)    option \(shop\.rules\.v1\.policy\) = \{.*?\n    \};\n", re.DOTALL
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for name in ("proto", "charts"):
        shutil.copytree(ROOT / name, tmp_path / name)
    return tmp_path


def found(root: Path) -> list[str]:
    return problems(protos.read(root / "proto"), charts.read(root / "charts" / "shop"))


def change(file: Path, before: str | re.Pattern[str], after: str) -> None:
    text = file.read_text()
    changed = re.sub(before, after, text, count=1)
    assert changed != text, f"{file} has no {before!r}"
    file.write_text(changed)


def line_of(root: Path, file: str, text: str) -> str:
    lines = (root / file).read_text().splitlines()
    return f"{file}:{next(n for n, line in enumerate(lines, 1) if text in line)}"


def test_the_shop_has_none() -> None:
    assert found(ROOT) == []


def test_a_method_without_a_policy_is_told_the_very_lines_to_add(copy: Path) -> None:
    change(copy / PAYMENTS, POLICY_OF_CHARGE, r"\1")
    place = line_of(copy, PAYMENTS, "rpc Charge(")
    (text,) = found(copy)
    assert text == (
        f"{place}: shop.payments.v1.PaymentsService/Charge has no policy. "
        f"Add below this line, with a timeout and callers of its own:\n{POLICY}"
    )
    lines = (copy / PAYMENTS).read_text().splitlines()
    lines.insert(int(place.rpartition(":")[2]), text.partition("\n")[2])
    (copy / PAYMENTS).write_text("\n".join(lines))
    assert found(copy) == [], "adding them as told mends it"


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("callers: CALLER_SERVICE\n", "\n", "has no callers. Add to its policy"),
        (r"timeout: \{seconds: 3\}", "", "has no timeout. Add to its policy"),
        (
            'repeat_key: "key"',
            'repeat_key: "kee"',
            "has the repeat_key 'kee', which its request does not have",
        ),
    ],
)
def test_half_a_policy_is_told_what_it_lacks(copy: Path, before: str, after: str, said: str) -> None:
    change(copy / PAYMENTS, before, after)
    (text,) = found(copy)
    assert text.startswith(line_of(copy, PAYMENTS, "rpc Charge("))
    assert said in text


@pytest.mark.parametrize(
    ("chart", "before", "after", "said"),
    [
        (
            "ingress",
            r"\[GetCharge, ListCharges\]",
            "[GetCharge, Charge]",
            "ingress calls payments Charge as customer or staff, and {charge} lets only service call it",
        ),
        ("orders", r"\[Charge, ", "[ListCharges, ", "orders calls payments ListCharges as service, and"),
        ("orders", r"\[Charge, ", "[Charg, ", "has no method Charg: did you mean Charge?"),
        (
            "orders",
            "shop.payments.v1.PaymentsService",
            "shop.payments.v2.PaymentsService",
            "where there is shop",
        ),
        ("orders", "to: payments", "to: bank", "where there is no contract of that name"),
    ],
)
def test_a_chart_that_calls_what_it_may_not_is_told_where(
    copy: Path, chart: str, before: str, after: str, said: str
) -> None:
    file = f"charts/shop/charts/{chart}/values.yaml"
    change(copy / file, before, after)
    (text,) = found(copy)
    assert text.startswith(f"{file}:")
    assert said.format(charge=line_of(copy, PAYMENTS, "rpc Charge(")) in text
