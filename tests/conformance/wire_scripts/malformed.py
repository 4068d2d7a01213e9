"""Socket.IO packets that end a connection."""

from __future__ import annotations

from ..wire import Wire
from .registry import for_each, note_end

MALFORMED_PACKETS = {
    "an empty message": "4",
    "type 7": "47",
    "type 8": "48",
    "type -": "4-1",
    "type that is a digit elsewhere": "4\u0662[]",
    "event of an object": "42{}",
    "event of a string": '42"echo"',
    "event of nothing": "42[]",
    "event named null": "42[null]",
    "event named by an object": '42[{"toString":"foo"}]',
    "event named by a list": "42[[]]",
    "event named by a boolean": "42[true]",
    "event that is no JSON": '42["echo"',
    "event with something after it": '42["echo"]x',
    "event with NaN": '42["echo",NaN]',
    "event with Infinity": '42["echo",-Infinity]',
    **{
        f"event named {name}": f'42["{name}"]'
        for name in ("connect", "connect_error", "disconnect", "disconnecting", "newListener", "removeListener")
    },
    "ack of an object": "430{}",
    "ack of a string": '430"a"',
    "ack id that is a digit elsewhere": "43\u00b2[]",
    "ack id with a sign": "43+1[]",
    "ack id that is negative": "43-1[]",
    "ack id with an underscore": "431_0[]",
    "disconnect with a payload": "41{}",
    "connect error": '44{"message":"no"}',
    "connect of a string": '40/custom,"x"',
    "connect of a list": "40/custom,[1]",
    "connect of null": "40/custom,null",
    "binary event of no attachments": '450-["echo"]',
    "binary event without a number": '45-["echo"]',
    "binary event without a dash": '451["echo"]',
    "binary event of one and a half": '451.5-["echo"]',
    "binary event of too many attachments": '4511-["echo"]',
    "binary event of 5999999 attachments": '455999999-["echo"]',
    "binary event of 400 digits": f'45{"9" * 400}-["echo"]',
    "binary event cut short": "451",
    "binary event named connect": '451-["connect"]',
}


@for_each(MALFORMED_PACKETS)
async def malformed_packet_on_polling(wire: Wire, row: str) -> None:
    session = await wire.member("polling")
    wire.note(await session.post(row))
    await note_end(wire, session)


@for_each(MALFORMED_PACKETS)
async def malformed_packet_on_websocket(wire: Wire, row: str) -> None:
    session = await wire.member("websocket")
    await session.send(row)
    await note_end(wire, session)


@for_each(
    {
        "stray attachment": [b"\x01"],
        "text instead of an attachment": ['451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]'],
        "second header instead of an attachment": ['451-["echo",{"_placeholder":true,"num":0}]'] * 2,
        "one attachment too many": ['451-["unknown",{"_placeholder":true,"num":0}]', b"\x01", b"\x02"],
        **{
            f"placeholder {number}": [f'451-["echo",{{"_placeholder":true,"num":{number}}}]', b"\x01"]
            for number in (-1, 1, '"0"', '"splice"', "true", "null", "[]")
        },
        "placeholder without a number": ['451-["echo",{"_placeholder":true}]', b"\x01"],
    }
)
async def malformed_binary(wire: Wire, row: list[str | bytes]) -> None:
    session = await wire.member("websocket")
    await session.send(*row)
    await note_end(wire, session)


@for_each(
    {
        "connect with an ack id": ["40/custom,1"],
        "number of attachments with a space": ['45 1-["echo",{"_placeholder":true,"num":0}]', b"\x01"],
        "placeholder of half an attachment": ['451-["echo",{"_placeholder":true,"num":0.5}]', b"\x01"],
    }
)
async def packet_that_javascript_takes(wire: Wire, row: list[str | bytes]) -> None:
    session = await wire.member("websocket")
    await session.send(*row)
    wire.note(await session.receive_or_end())
