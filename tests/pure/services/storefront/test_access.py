"""Who may do what, and what an API key is, as plain data."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.kit.errors import Forbidden, InvalidRequest, NotFound, ServiceError, Unauthenticated
from services.storefront.access import key as keys
from services.storefront.access.caller import GUEST, NOBODY, Scope, of_key, of_token
from services.storefront.access.key import ApiKey

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ADA, BOSS = of_token("ada", ""), of_token("boss", "staff")


@pytest.mark.parametrize(
    ("caller", "scope", "refused"),
    [
        (ADA, Scope.ORDERS_READ, None),
        (ADA, Scope.ORDERS_WRITE, None),
        (ADA, Scope.STOCK_WRITE, Forbidden),
        (ADA, Scope.KEYS, Forbidden),
        (BOSS, Scope.STOCK_WRITE, None),
        (BOSS, Scope.CATALOG_WRITE, None),
        (BOSS, Scope.KEYS, None),
        (BOSS, Scope.ORDERS_WRITE, Forbidden),
        (GUEST, Scope.ORDERS_WRITE, None),
        (GUEST, Scope.STOCK_WRITE, Unauthenticated),
        (NOBODY, Scope.ORDERS_READ, Unauthenticated),
        (of_key("k", "ada", ["orders:read"]), Scope.ORDERS_READ, None),
        (of_key("k", "ada", ["orders:read"]), Scope.ORDERS_WRITE, Forbidden),
    ],
)
def test_a_caller_may_what_its_scopes_say(
    caller: object, scope: Scope, refused: type[ServiceError] | None
) -> None:
    if refused is None:
        caller.may(scope)  # type: ignore[attr-defined]
    else:
        with pytest.raises(refused):
            caller.may(scope)  # type: ignore[attr-defined]


def test_a_role_that_the_shop_does_not_know_may_nothing() -> None:
    with pytest.raises(Forbidden):
        of_token("ada", "root")


def test_a_customer_acts_for_itself_only_and_staff_sees_everybody() -> None:
    assert ADA.orders_for("") == ADA.orders_for("ada") == ADA.lists_of("") == "ada"
    assert (BOSS.lists_of(""), BOSS.lists_of("ada")) == ("", "ada")
    for act in (ADA.orders_for, ADA.lists_of):
        with pytest.raises(Forbidden):
            act("bob")
    with pytest.raises(NotFound):
        ADA.sees("bob", "1")
    BOSS.sees("bob", "1")
    with pytest.raises(InvalidRequest):
        GUEST.orders_for("")


def test_a_key_is_valid_with_its_own_secret_until_it_expires_or_is_revoked() -> None:
    id_, secret = keys.new(lambda count: bytes(range(count)))
    key = ApiKey(id_, keys.hashed(secret), "till", "", (), NOW, NOW + timedelta(days=1))
    assert key.valid(secret, NOW)
    assert not key.valid(secret[:-1] + "A", NOW)
    assert not key.valid(secret, NOW + timedelta(days=1))
    revoked = ApiKey(id_, key.hash, "till", "", (), NOW, None, NOW)
    assert not revoked.valid(secret, NOW)
    assert secret not in repr(key)


@given(st.binary(min_size=38, max_size=38))
def test_the_text_of_a_key_is_read_as_it_was_made(random: bytes) -> None:
    source = iter(random)
    id_, secret = keys.new(lambda count: bytes(next(source) for _ in range(count)))
    assert keys.read(keys.text(id_, secret)) == (id_, secret)


@given(st.text(max_size=80))
def test_other_texts_are_no_keys(said: str) -> None:
    assert keys.read(said) is None
