"""The page itself: on a phone, with a keyboard, and within its own walls."""

import pytest
from playwright.async_api import Browser, expect

from .conftest import People
from .sample_server import SampleServer

pytestmark = pytest.mark.asyncio(loop_scope="session")

PHONE = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}


async def test_the_chat_fits_a_phone(people: People, server: SampleServer) -> None:
    ada = await people("Ada with a long nickname", server, room="A room with quite a long name, too!", **PHONE)
    await ada.say("A-word-that-is-too-long-for-one-line-" * 5)
    await ada.is_told_that_it_was_delivered()
    assert await ada.page.evaluate("document.documentElement.scrollWidth") == 360
    await expect(ada.text_box).to_be_in_viewport(ratio=1)
    await expect(ada.page.get_by_role("button", name="Send", exact=True)).to_be_in_viewport(ratio=1)
    await expect(ada.last_message.locator(".delivery")).to_be_in_viewport(ratio=1)


async def test_the_drawer_of_a_phone_opens_and_closes(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server, **PHONE)
    rooms = ada.page.get_by_role("navigation", name="Rooms")
    await expect(rooms).to_be_hidden()
    await ada.page.get_by_role("button", name="Rooms and people").tap()
    await rooms.get_by_role("link", name="Random").tap()
    await expect(rooms).to_be_hidden()
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text("Random")


async def test_the_keyboard_is_enough(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    keyboard = ada.page.keyboard
    await expect(ada.text_box).to_be_focused()
    await keyboard.type("One line")
    await keyboard.press("Shift+Enter")
    await keyboard.type("and another")
    await keyboard.press("Enter")
    await expect(ada.last_message.locator(".bubble")).to_have_text("One line\nand another", use_inner_text=True)
    await ada.page.locator("#connection-state").focus()
    await keyboard.press("Enter")
    await expect(ada.page.get_by_label("Transport")).to_be_visible()
    await keyboard.press("Escape")
    await expect(ada.page.get_by_label("Transport")).to_be_hidden()


async def test_the_policy_allows_nothing_from_elsewhere(browser: Browser, server: SampleServer) -> None:
    context = await browser.new_context()
    response = await context.request.get(server.url)
    policy = response.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    await context.close()
