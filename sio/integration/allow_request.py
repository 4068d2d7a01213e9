"""`SIO_ALLOW_REQUEST`: what the application says to a handshake, as `allowRequest` of the reference."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn, TypeAlias

from ..aio.cancellation import raise_if_final
from ..aio.log_limits import Repeats
from ..engineio.asgi import Scope
from ..exceptions import ErrorCode, HandshakeError
from .log import Log, logger

#: A true value allows the handshake, a false one refuses it, and so does a string, which the client gets.
Answer: TypeAlias = bool | str | None
Function: TypeAlias = Callable[[Scope], Answer | Awaitable[Answer]]


class AllowRequest:
    """Asks the function of an application, which gets the ASGI scope of a handshake.

    An `async def` may wait for whatever it needs. A plain function runs in the event loop and must not block, as a
    query to the database does.
    """

    def __init__(self, function: Function) -> None:
        self._function = function
        self._repeats = Repeats(logger)
        #: Whether the log says already that the function returned None.
        self._is_logged = False

    def check(self, scope: Scope) -> Coroutine[Any, Any, None] | None:
        """Raises HandshakeError (FORBIDDEN) if the function does not allow the handshake. What is returned, unless it
        is None, is still to be awaited, and may raise it too.
        """
        try:
            answer = self._function(scope)
        except BaseException as error:
            raise_if_final(error)
            self._refuse_for(error)
        if inspect.isawaitable(answer):
            return self._wait(answer)
        self._judge(answer)
        return None

    async def _wait(self, awaitable: Awaitable[Answer]) -> None:
        try:
            answer = await awaitable
        except BaseException as error:
            raise_if_final(error)
            self._refuse_for(error)
        self._judge(answer)

    def _judge(self, answer: Answer) -> None:
        if answer is None and not self._is_logged:
            self._is_logged = True
            Log.NO_ANSWER.log()
        if not answer or isinstance(answer, str):
            raise _refusal(answer or "")

    def _refuse_for(self, error: BaseException) -> NoReturn:
        self._repeats.error("SIO_ALLOW_REQUEST raised, so the handshake was refused", error)
        raise _refusal() from None


def _refusal(message: str = "") -> HandshakeError:
    return HandshakeError(ErrorCode.FORBIDDEN, "SIO_ALLOW_REQUEST refused it", message, is_notable=False)
