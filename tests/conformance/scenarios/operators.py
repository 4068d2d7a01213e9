"""To whom an event goes: what operators choose, beginning with a socket or with the server."""

from __future__ import annotations

import asyncio
from typing import Any

from .client import Client
from .stage import Stage, scenario


class Meeting:
    """Ann, who is in the rooms red and blue, Bob in red, and Cem in blue. Ann has events sent, with a number each."""

    def __init__(self, stage: Stage, people: list[Client]) -> None:
        self._stage = stage
        self.ann, self.bob, self.cem = self.people = people
        # Others meet at the same time, and hear what goes to everybody.
        self.event = f"news of {self.ann.id}"
        self.red, self.blue = f"red of {self.ann.id}", f"blue of {self.ann.id}"
        self._number = 0

    async def open(self) -> Meeting:
        for person, rooms in zip(self.people, ([self.red, self.blue], [self.red], [self.blue]), strict=True):
            await person.call("join", *rooms)
        return self

    async def operate(self, start: str, *steps: list[Any], data: bytes | None = None) -> None:
        """Begins with "socket" or "server". Each step is the name of a modifier, and its argument if it takes one."""
        self._number += 1
        assert await self.ann.call("operate", start, steps, self.event, self._number, data) == [True]

    async def check(self, *heard: str) -> None:
        """Checks who has heard which events since the beginning: by their first letters, for each event."""
        assert len(heard) == self._number
        for person, letter in zip(self.people, "abc", strict=True):
            expected = [[number, None] for number, who in enumerate(heard, 1) if letter in who]
            seen = await person.receive_many(self.event, len(expected))
            # What was broadcast comes before an acknowledgement that is asked for later.
            await person.call("echo_ack")
            self._stage.check_events([*seen, *person.heard(self.event)], expected)


async def _meeting(stage: Stage) -> Meeting:
    return await Meeting(stage, await asyncio.gather(*(stage.client() for _ in range(3)))).open()


@scenario("socket.io, socket.broadcast and socket.to")
async def others_hear_a_socket(stage: Stage) -> None:
    """Events from a socket to others: to all, to rooms, without some, and never to itself"""
    meeting = await _meeting(stage)
    red, blue = meeting.red, meeting.blue
    await meeting.operate("socket", ["broadcast"])
    await meeting.operate("socket", ["to", red])
    await meeting.operate("socket", ["to", [red, blue]])
    await meeting.operate("socket", ["to", red], ["to", blue])
    await meeting.operate("socket", ["broadcast"], ["to", blue])
    await meeting.operate("socket", ["except_", red])
    await meeting.operate("socket", ["to", [red, blue]], ["except_", meeting.bob.id])
    await meeting.operate("socket", ["to", red], ["except_", red])
    await meeting.operate("socket", ["to", meeting.ann.id])
    await meeting.operate("socket", ["to", meeting.cem.id])
    await meeting.operate("socket", ["to", "nobody's"])
    await meeting.check("bc", "b", "bc", "bc", "c", "c", "c", "", "", "c", "")


@scenario("socket.io, server.to and server.except")
async def server_chooses_who_hears(stage: Stage) -> None:
    """Events from the server: to rooms, to several, each client once, and without some"""
    meeting = await _meeting(stage)
    red, blue = meeting.red, meeting.blue
    await meeting.operate("server")
    await meeting.operate("server", ["to", red])
    await meeting.operate("server", ["to", red], ["except_", blue])
    await meeting.operate("server", ["except_", blue], ["to", red])
    await meeting.operate("server", ["to", [red, blue]])
    await meeting.operate("server", ["to", red], ["to", blue], ["except_", meeting.ann.id])
    await meeting.operate("server", ["except_", red])
    await meeting.operate("server", ["except_", [red, blue]])
    await meeting.operate("server", ["except_", red], ["except_", meeting.cem.id])
    await meeting.operate("server", ["to", [meeting.bob.id, meeting.cem.id]])
    await meeting.operate("server", ["local"], ["to", blue])
    await meeting.check("abc", "ab", "b", "b", "abc", "bc", "c", "", "", "bc", "ac")


@scenario("socket.io, operators")
async def operators_carry_binary_data(stage: Stage) -> None:
    """Binary data to others in rooms"""
    meeting = await _meeting(stage)
    await meeting.operate("socket", ["to", [meeting.red, meeting.blue]], data=b"\x00\xff")
    for person in (meeting.bob, meeting.cem):
        assert await person.receive(meeting.event) == [1, b"\x00\xff"]
    await meeting.check("")


@scenario("socket.io, volatile operators")
async def volatile_events_reach_whom_they_are_for(stage: Stage) -> None:
    """Volatile events to others in a room"""
    meeting = await _meeting(stage)
    heard: list[list[Any]] = []
    # One is dropped if a client cannot take it at once: if it polls anew, for instance.
    while not heard:
        await meeting.operate("socket", ["broadcast"], ["volatile"], ["to", meeting.red])
        await meeting.bob.call("echo_ack")
        heard = meeting.bob.heard(meeting.event)
    for person in (meeting.ann, meeting.cem):
        await person.call("echo_ack")
        assert person.heard(meeting.event) == []
