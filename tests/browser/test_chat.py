"""People talk to each other in a room."""

import os
import re
from typing import Any

import pytest
from playwright.async_api import expect

from .conftest import People
from .person import png
from .sample_server import SampleServer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_two_people_talk(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    grace = await people("Grace", server)
    await ada.say("Good morning")
    await ada.is_told_that_it_was_delivered()
    await grace.sees("Good morning")
    await grace.say("Good morning to you")
    await ada.sees("Good morning to you")
    await expect(ada.messages).to_have_count(2)
    await expect(ada.last_message.locator(".author")).to_have_text("Grace")
    await expect(grace.last_message).to_have_class(re.compile(r"\bown\b"))

    line = grace.page.locator("#typing")
    await ada.type("Well")
    await expect(line).to_have_text("Ada is typing…")
    await ada.say("Well, well")
    await expect(line).to_be_empty()


async def test_everybody_sees_who_is_here(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    grace = await people("Grace", server)
    await ada.sees_line("Grace joined")
    await expect(ada.people).to_have_text(["Ada", "Grace"])
    await expect(grace.people).to_have_text(["Ada", "Grace"])
    await expect(ada.page.locator("#room-people")).to_have_text("2 people here")
    await grace.page.close()
    await ada.sees_line("Grace left")
    await expect(ada.people).to_have_text(["Ada"])


async def test_a_text_is_never_markup(people: People, server: SampleServer) -> None:
    nasty = "<img src=x onerror=alert(1)><b>&amp;</b>"
    ada = await people("<i>Ada</i>", server)
    grace = await people("Grace", server)
    await ada.say(nasty)
    await expect(grace.last_message.locator(".bubble")).to_have_text(nasty)
    await expect(grace.last_message.locator(".author")).to_have_text("<i>Ada</i>")


async def test_who_comes_later_reads_the_history(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    await ada.say("First")
    await ada.send_image(png())
    await ada.is_told_that_it_was_delivered()
    grace = await people("Grace", server)
    await expect(grace.messages).to_have_count(2)
    await grace.sees("First")
    await grace.sees_image()


async def test_a_room_may_have_any_name(people: People, server: SampleServer) -> None:
    name = "Café/☕ <b>#1</b> & 50%"
    ada = await people("Ada", server)
    await ada.page.get_by_label("Create or join a room").fill(name)
    await ada.page.get_by_role("button", name="Go to this room").click()
    await expect(ada.page.get_by_role("heading", level=1)).to_have_text(name)
    grace = await people("Grace", server)
    await grace.page.get_by_role("link", name=name).click()
    await ada.sees_line("Grace joined")
    await ada.say("Welcome to my room")
    await grace.sees("Welcome to my room")


async def test_messages_stay_in_their_room(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server, room="Django")
    grace = await people("Grace", server, room="Random")
    await ada.say("Only for the Django room")
    await ada.is_told_that_it_was_delivered()
    await grace.page.get_by_role("link", name="Django").click()
    await grace.sees("Only for the Django room")
    await grace.page.get_by_role("link", name="Random").click()
    await expect(grace.page.get_by_text("Nothing has been said here yet.")).to_be_visible()
    await expect(grace.messages).to_have_count(0)


async def test_images_arrive_on_both_transports(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server, transport="polling")
    grace = await people("Grace", server, transport="websocket")
    await ada.send_image(png(320, 200))
    await ada.is_told_that_it_was_delivered()
    await grace.sees_image()
    await grace.send_image(png(200, 320))
    await grace.is_told_that_it_was_delivered()
    await expect(ada.messages).to_have_count(2)
    await ada.sees_image()
    await ada.last_message.get_by_role("button", name="Image from Grace").click()
    await expect(ada.page.get_by_role("dialog").get_by_role("img")).to_be_visible()


async def test_an_image_can_be_pasted_and_a_large_one_is_made_to_fit(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    grace = await people("Grace", server)
    await ada.text_box.evaluate(
        """(target, bytes) => {
            const clipboardData = new DataTransfer();
            clipboardData.items.add(new File([new Uint8Array(bytes)], "pasted.png", { type: "image/png" }));
            target.dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
        }""",
        list(png()),
    )
    await grace.sees_image()
    await ada.send_image(png(800, 600, pixels=os.urandom(800 * 600 * 3)))
    await expect(grace.messages).to_have_count(2)
    await grace.sees_image()
    assert await grace.last_message.locator("img").evaluate("image => image.naturalWidth") == 800


async def test_an_image_that_is_too_large_is_refused_by_the_page(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    await ada.send_image(b"GIF89a" + bytes(2_000_000), "image/gif")
    await expect(ada.page.locator("#notice")).to_have_text("The image has 2001 kB, and at most 749 kB can be sent.")
    await expect(ada.messages).to_have_count(0)


async def test_what_the_server_refuses_can_be_retried_and_discarded(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    await ada.send_image(b"not an image")
    await expect(ada.last_message.locator(".failure")).to_have_text(
        "not delivered: Only PNG, JPEG, GIF and WebP images can be sent."
    )
    await ada.last_message.get_by_role("button", name="Retry").click()
    await expect(ada.last_message.locator(".failure")).to_be_visible()
    await ada.last_message.get_by_role("button", name="Discard").click()
    await expect(ada.messages).to_have_count(0)


async def test_a_nickname_outlives_a_reload_and_a_visit(people: People, server: SampleServer) -> None:
    barbara = await people("Barbara", server)
    await barbara.say("Still here")
    await barbara.is_told_that_it_was_delivered()
    await barbara.page.reload()
    await barbara.sees("Still here")
    await expect(barbara.last_message).to_have_class(re.compile(r"\bown\b"))
    another_tab = await barbara.page.context.new_page()
    await another_tab.goto(server.url)
    await expect(another_tab.get_by_label("Your nickname")).to_have_value("Barbara")


async def test_unread_messages_are_counted_in_the_title(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server, room="Unread")
    grace = await people("Grace", server, room="Unread")
    await expect(grace.page).to_have_title("Unread · django-sio chat")
    await grace.page.evaluate("window.isAway = true; Object.defineProperty(document, 'hidden', { get: () => isAway })")
    await ada.say("One")
    await ada.say("Two")
    await expect(grace.page).to_have_title("(2) Unread · django-sio chat")
    await grace.page.evaluate("window.isAway = false; document.dispatchEvent(new Event('visibilitychange'))")
    await expect(grace.page).to_have_title("Unread · django-sio chat")


async def test_who_reads_old_messages_is_left_in_peace(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    grace = await people("Grace", server)
    for number in range(20):
        await ada.say(f"Number {number}.")  # the time of day follows: without an end, 1 and 9:08 is 19
    await grace.sees("Number 19.")
    await expect(grace.last_message).to_be_in_viewport()
    await grace.messages.first.scroll_into_view_if_needed()
    await expect(grace.messages.first).to_be_in_viewport()
    await expect(grace.last_message).not_to_be_in_viewport()
    await ada.say("News")
    button = grace.page.get_by_role("button", name="1 new message")
    await expect(button).to_be_visible()
    await expect(grace.messages.first).to_be_in_viewport()
    await button.click()
    await expect(grace.last_message).to_be_in_viewport()
    await expect(button).to_be_hidden()


INVALID_EVENTS = [
    ("join", {}, "A room name must have 1 to 40 characters."),
    ("join", {"room": ["Lobby"]}, "A room name must have 1 to 40 characters."),
    ("join", "Lobby", "A room name must have 1 to 40 characters."),
    ("message", {"id": "1", "room": "Elsewhere", "text": "Hi"}, "Join the room before you send something to it."),
    ("message", {"id": "1", "room": "Lobby", "text": "x" * 2001}, "A message must have 1 to 2000 characters."),
    ("message", {"id": 1, "room": "Lobby", "text": "Hi"}, "The id of a message must have 1 to 64 characters."),
    ("image", {"id": "1", "room": "Lobby", "image": "text"}, "An image must be sent as binary data."),
    ("image", {"id": "1", "room": "Lobby", "image": {"size": 8}}, "Only PNG, JPEG, GIF and WebP images can be sent."),
    ("image", {"id": "1", "room": "Lobby", "image": {"size": 749_251}}, "An image may have at most 749 kB."),
]


async def test_the_server_checks_what_clients_send(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    answers: list[dict[str, Any]] = await ada.page.evaluate(
        """async (events) => {
            const client = io("/chat", { forceNew: true, transports: ["websocket"], auth: { nickname: "Mallory" } });
            const answers = [await client.emitWithAck("join", { room: "Lobby" })];
            for (const [event, payload] of events) {
                if (payload.image?.size) payload.image = new Uint8Array(payload.image.size);
                answers.push(await client.emitWithAck(event, payload));
            }
            client.disconnect();
            return answers;
        }""",
        INVALID_EVENTS,
    )
    assert answers[0]["ok"] is True
    assert answers[1:] == [{"ok": False, "error": error} for _, _, error in INVALID_EVENTS]


async def test_a_message_that_is_sent_twice_counts_once(people: People, server: SampleServer) -> None:
    grace = await people("Grace", server, room="Twice")
    await grace.page.evaluate(
        """async () => {
            const client = io("/chat", { forceNew: true, transports: ["websocket"], auth: { nickname: "Ada" } });
            await client.emitWithAck("join", { room: "Twice" });
            for (const id of ["a", "a", "b"]) {
                await client.emitWithAck("message", { id, room: "Twice", text: `Said ${id}` });
            }
            client.disconnect();
        }""",
    )
    await grace.sees_line("Ada left")
    await expect(grace.messages.locator(".bubble")).to_have_text(["Said a", "Said b"])


async def test_nobody_gets_in_without_a_nickname(people: People, server: SampleServer) -> None:
    ada = await people("Ada", server)
    refusals = await ada.page.evaluate(
        """(nicknames) => Promise.all(nicknames.map((nickname) => new Promise((resolve) => {
            const client = io("/chat", { forceNew: true, transports: ["websocket"], auth: { nickname } });
            client.on("connect_error", ({ message }) => { client.io.engine.close(); resolve(message); });
        })))""",
        [None, "", "   ", "x" * 25, 7],
    )
    assert refusals == ["A nickname must have 1 to 24 characters."] * 5
