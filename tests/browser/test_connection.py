"""The connection under the chat: its transports, its loss, and its return."""

import pytest
from playwright.async_api import expect

from .conftest import People, StartServer
from .person import png
from .sample_server import SampleServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

# What Chromium itself writes to the console about requests to a server that is away, or that does not know the session.
NETWORK_ERRORS = r"net::ERR_|status of 400"
# The request that closes a polling session may overtake a poll, which then belongs to no session.
LATE_POLL = r"status of 400"


async def test_polling_can_be_forced_by_the_address(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server, transport="polling")
    grace = await people("Grace", server)
    await expect(grace.transport).to_have_text("websocket")
    await ada.say("Over HTTP")
    await grace.sees("Over HTTP")
    await grace.say("Over a WebSocket")
    await ada.sees("Over a WebSocket")
    await expect(ada.transport).to_have_text("polling")


async def test_the_transport_is_upgraded_and_can_be_switched(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    ada.tolerated = LATE_POLL
    await expect(ada.transport).to_have_text("websocket")
    await ada.page.locator("#connection-state").click()
    await ada.page.get_by_label("Transport").select_option("Polling only")
    await expect(ada.transport).to_have_text("polling")
    await ada.sees_line("Reconnected.")
    assert "transport=polling" in ada.page.url
    await ada.page.get_by_label("Transport").select_option("WebSocket only")
    await expect(ada.transport).to_have_text("websocket")
    await ada.say("Here again")
    await ada.is_told_that_it_was_delivered()


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_the_chat_goes_on_after_a_restart_of_the_server(
    people: People, start_server: StartServer, end: str
) -> None:
    server = start_server("daphne")
    ada = await people("Ada", server)
    grace = await people("Grace", server, transport="polling")
    ada.tolerated = grace.tolerated = NETWORK_ERRORS
    await expect(ada.transport).to_have_text("websocket")
    await ada.say("Before")
    await grace.sees("Before")

    getattr(server, end)()
    await expect(ada.transport).to_have_text("offline")
    await expect(ada.page.locator("#notice")).to_contain_text("The connection is lost.")
    await ada.say("Meanwhile")
    await expect(ada.last_message.locator(".delivery")).to_have_text("sending…")
    server.start()

    await ada.sees_line("Reconnected.")
    await grace.sees_line("Reconnected.")
    await ada.is_told_that_it_was_delivered()
    await grace.sees("Meanwhile")
    await grace.say("After")
    await ada.sees("After")
    await expect(ada.people).to_have_text(["Ada", "Grace"])
    await expect(ada.messages).to_have_count(3)
    await expect(ada.page.locator("#notice")).to_be_hidden()


async def test_people_talk_on_uvicorn(people: People, start_server: StartServer) -> None:
    server = start_server("uvicorn")
    ada = await people("Ada", server)
    grace = await people("Grace", server, transport="polling")
    await expect(ada.transport).to_have_text("websocket")
    await ada.say("Hello, uvicorn")
    await ada.is_told_that_it_was_delivered()
    await grace.sees("Hello, uvicorn")
    await grace.send_image(png())
    await grace.is_told_that_it_was_delivered()
    await ada.sees_image()
