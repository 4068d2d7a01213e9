"""Handshakes, and requests with a session."""

from __future__ import annotations

from ..http import control
from ..wire import Wire
from .registry import for_each, note_end, note_end_after_hook, script


@script
async def handshake_on_polling(wire: Wire) -> None:
    session = await wire.polling()
    wire.note(session.handshake)


@script
async def handshake_on_websocket(wire: Wire) -> None:
    session = await wire.websocket()
    wire.note(session.handshake)


@script
async def handshake_with_an_empty_sid(wire: Wire) -> None:
    wire.note(await wire.http("GET", "EIO=4&transport=polling&sid="))


@script
async def handshake_with_a_jsonp_callback(wire: Wire) -> None:
    wire.note(await wire.http("GET", "EIO=4&transport=polling&j=0"))


@for_each({method: method for method in ("PUT", "DELETE", "PATCH", "OPTIONS", "HEAD")})
async def other_method_with_a_session(wire: Wire, row: str) -> None:
    session = await wire.member("polling")
    wire.note(await wire.http(row, session.target))
    wire.note(await session.call("echo_ack", "alive"))


@for_each({"3": "3", "none": "", "5": "5"})
async def version_that_is_not_the_session_s(wire: Wire, row: str) -> None:
    session = await wire.member("polling")
    wire.note(await wire.http("GET", f"EIO={row}&transport=polling&sid={session.sid}"))
    wire.note(await session.call("echo_ack", "alive"))


@script
async def websocket_without_its_headers_for_a_session(wire: Wire) -> None:
    session = await wire.polling()
    await session.send("40")
    wire.note(await wire.http("GET", f"EIO=4&transport=websocket&sid={session.sid}"))
    wire.note(await session.receive())


@script
async def polling_for_a_session_on_websocket(wire: Wire) -> None:
    session = await wire.member("websocket")
    wire.note(await wire.http("GET", f"EIO=4&transport=polling&sid={session.sid}"))
    wire.note(await wire.http("POST", f"EIO=4&transport=polling&sid={session.sid}", "4"))
    wire.note(await session.call("echo_ack", "alive"))


@script
async def two_gets(wire: Wire) -> None:
    session = await wire.member("polling")
    first = await session.start_get()
    wire.note(await session.get(), await first.response())
    await note_end(wire, session)


@script
async def two_posts(wire: Wire) -> None:
    session = await wire.member("polling")
    first = await session.start_post({"Content-Length": "10"})
    wire.note(await session.post("4"))
    await first.close()
    await note_end(wire, session)


@script
async def get_that_is_aborted(wire: Wire) -> None:
    session = await wire.member("polling")
    (await session.start_get()).reset()
    await note_end_after_hook(wire, session)


@script
async def get_that_is_closed(wire: Wire) -> None:
    session = await wire.member("polling")
    await (await session.start_get()).close()
    await note_end_after_hook(wire, session)


@script
async def post_that_is_aborted(wire: Wire) -> None:
    session = await wire.member("polling")
    (await session.start_post({"Content-Length": "10"})).reset()
    await control(wire.server, "sessions")
    wire.note(await session.send('420["echo_ack","alive"]'), await session.receive_or_end())


@script
async def post_of_octets(wire: Wire) -> None:
    session = await wire.member("polling")
    wire.note(await session.post("4", {"Content-Type": "application/octet-stream"}))
    await note_end(wire, session)


@script
async def post_of_octets_while_a_get_waits(wire: Wire) -> None:
    session = await wire.member("polling")
    get = await session.start_get()
    wire.note(await session.post("4", {"Content-Type": "application/octet-stream"}), await get.response())
    await note_end(wire, session)


@script
async def post_over_the_limit(wire: Wire) -> None:
    session = await wire.member("polling")
    wire.note(await session.post("4" + "x" * 1_000_000))
    wire.note(await session.call("echo_ack", "alive"))


@script
async def post_at_the_limit(wire: Wire) -> None:
    session = await wire.member("polling")
    header, footer = '420["echo_ack","', '"]'
    wire.note(await session.post(header + "x" * (1_000_000 - len(header + footer)) + footer))
    wire.note(len(str(await session.receive())))


@script
async def post_over_the_limit_in_chunks(wire: Wire) -> None:
    session = await wire.member("polling")
    post = await session.start_post({"Transfer-Encoding": "chunked"})
    for _ in range(11):
        await post.write(b"186a0\r\n" + b"x" * 100_000 + b"\r\n")
    await post.write(b"0\r\n\r\n")
    wire.note(await post.response())
    wire.note(await session.call("echo_ack", "alive"))


@script
async def post_in_chunks(wire: Wire) -> None:
    session = await wire.member("polling")
    post = await session.start_post({"Transfer-Encoding": "chunked"})
    for chunk in (b'420["echo', '_ack","é'.encode()[:-1], 'é"]'.encode()[1:]):
        await post.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
    await post.write(b"0\r\n\r\n")
    wire.note(await post.response(), await session.receive())
