"""`SIO_ALLOW_REQUEST`: what the application says to a handshake, as `allowRequest` of the reference."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from .faults import raise_if_final
from .handshake import ErrorCode, HandshakeError

logger = logging.getLogger("sio.engineio")

#: A true value allows the handshake, a false one refuses it, and so does a string, which the client is told.
Answer: TypeAlias = bool | str | None
Function: TypeAlias = Callable[[MutableMapping[str, Any]], Answer | Awaitable[Answer]]


class AllowRequest:
    """Asks the function of an application, which gets the ASGI scope of a handshake.

    An `async def` may wait for whatever it needs. A plain function runs in the event loop and must not block, as a
    query to the database does.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._has_told = False

    async def check(self, scope: MutableMapping[str, Any]) -> None:
        """Raises HandshakeError (FORBIDDEN) if the function does not allow the handshake."""
        answer = await self._ask(scope)
        if answer is None and not self._has_told:
            self._has_told = True
            logger.error("SIO_ALLOW_REQUEST returned None, so the handshake was refused: return True to allow it")
        if not answer or isinstance(answer, str):
            raise HandshakeError(ErrorCode.FORBIDDEN, "SIO_ALLOW_REQUEST refused it", answer or "", is_loud=False)

    async def _ask(self, scope: MutableMapping[str, Any]) -> Answer:
        try:
            answer = self._function(scope)
            return await answer if inspect.isawaitable(answer) else answer
        except BaseException as error:
            raise_if_final(error)
            logger.exception("SIO_ALLOW_REQUEST raised, so the handshake was refused")
            return False
