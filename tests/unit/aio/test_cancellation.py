"""Which errors end the task that they are raised in."""

from __future__ import annotations

import asyncio

import pytest

from sio.aio.cancellation import raise_if_final


@pytest.mark.parametrize("error", [KeyboardInterrupt(), GeneratorExit()])
async def test_error_that_python_itself_raises_is_raised_again(error: BaseException) -> None:
    with pytest.raises(type(error)):
        raise_if_final(error)


@pytest.mark.parametrize("error", [ValueError(), SystemExit(), asyncio.CancelledError()])
async def test_error_of_an_application_is_not_raised_again(error: BaseException) -> None:
    raise_if_final(error)


def test_error_outside_of_any_task_is_not_raised_again() -> None:
    async def main() -> None:
        future = loop.create_future()
        loop.call_soon(lambda: future.set_result(raise_if_final(ValueError())))
        await future

    loop = asyncio.new_event_loop()
    try:
        loop.run_until_complete(main())
    finally:
        loop.close()


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError])
async def test_cancellation_of_the_task_goes_on_whatever_the_application_makes_of_it(
    error: type[BaseException],
) -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise_if_final(error())

    task = asyncio.ensure_future(work())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancellation_of_an_awaited_task_is_the_applications_own_error() -> None:
    inner = asyncio.ensure_future(asyncio.Event().wait())
    inner.cancel()
    try:
        await inner
    except asyncio.CancelledError as error:
        raise_if_final(error)
