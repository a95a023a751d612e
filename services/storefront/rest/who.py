"""Who calls, as a dependency of routes; it is what the OpenAPI document calls a security scheme."""

from dataclasses import dataclass
from typing import Any

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPBearer

from services.kit.call import CURRENT
from services.storefront.access.caller import Caller, Scope
from services.storefront.access.gate import KEY, Gate

_TOKEN = Security(HTTPBearer(auto_error=False, bearerFormat="JWT", description="Read by the mesh"))
_KEY = Security(APIKeyHeader(name=KEY, auto_error=False, description="Made by staff: POST /v1/keys"))


@dataclass(frozen=True)
class Who:
    """`may(scope)` lets a route only be used with that scope, and gives it the Caller."""

    gate: Gate

    def may(self, scope: Scope) -> Any:
        async def allowed(_token: object = _TOKEN, _key: object = _KEY) -> Caller:
            call = CURRENT.get()
            caller = await self.gate.caller(call.headers if call else {})
            caller.may(scope)
            return caller

        return Depends(allowed)
