"""Somebody who uses the page, with the words for what people do there."""

import re
import struct
import zlib
from urllib.parse import quote, urlsplit

from playwright.async_api import ConsoleMessage, FilePayload, Locator, Page, expect


class Person:
    """One page in a browser profile of its own.

    It notes what must not happen: errors, and requests that leave the machine.
    """

    def __init__(self, page: Page, base_url: str, nickname: str) -> None:
        self.page = page
        self.nickname = nickname
        self.problems: list[str] = []
        self.tolerated: str | None = None
        self._base_url = base_url
        page.on("console", self._note_console)
        page.on("pageerror", lambda error: self.problems.append(f"exception: {error}"))
        page.on("request", lambda request: self._note_address(request.url))
        page.on("websocket", lambda websocket: self._note_address(websocket.url))

    async def arrive(self, room: str, transport: str | None = None) -> None:
        """Open the page, choose the nickname, and come into the room."""
        query = f"?transport={transport}" if transport else ""
        await self.page.goto(f"{self._base_url}/{query}#{quote(room, safe='')}")
        await self.page.get_by_label("Your nickname").fill(self.nickname)
        await self.page.keyboard.press("Enter")
        await self.sees_person(self.nickname)
        await expect(self.page.get_by_role("log")).to_have_attribute("aria-busy", "false")

    async def type(self, text: str) -> None:
        """Write without sending."""
        await self.text_box.press_sequentially(text)

    async def say(self, text: str) -> None:
        """Send a message."""
        await self.text_box.fill(text)
        await self.text_box.press("Enter")

    async def send_image(self, data: bytes, media_type: str = "image/png") -> None:
        """Choose a file in the picker."""
        file = FilePayload(name="image", mimeType=media_type, buffer=data)
        await self.page.locator("#image-file").set_input_files(file)

    # What is on the screen

    @property
    def text_box(self) -> Locator:
        """Where messages are written."""
        return self.page.get_by_role("textbox", name="Message", exact=True)

    @property
    def messages(self) -> Locator:
        """All messages, without the lines that the chat itself writes."""
        return self.page.locator(".message")

    @property
    def last_message(self) -> Locator:
        """The newest message."""
        return self.messages.last

    @property
    def people(self) -> Locator:
        """Who is here."""
        return self.page.locator("#people .person")

    @property
    def transport(self) -> Locator:
        """The name of the current transport."""
        return self.page.locator("#transport")

    async def sees(self, text: str) -> None:
        """Wait for a message."""
        await expect(self.messages.filter(has_text=text)).to_be_visible()

    async def sees_line(self, text: str) -> None:
        """Wait for a line that the chat itself writes."""
        await expect(self.page.locator(".system").filter(has_text=text).last).to_be_visible()

    async def sees_person(self, nickname: str) -> None:
        """Wait for somebody in the list of people."""
        await expect(self.people.filter(has_text=re.compile(f"^{re.escape(nickname)}$"))).to_have_count(1)

    async def sees_image(self) -> None:
        """Wait for an image that the browser could decode."""
        image = self.last_message.locator("img")
        await expect(image).to_be_visible()
        await expect(image).to_have_js_property("complete", True)
        assert await image.evaluate("image => image.naturalWidth") > 0
        assert str(await image.get_attribute("src")).startswith("blob:")

    async def is_told_that_it_was_delivered(self) -> None:
        """Wait for the acknowledgement of the newest message."""
        await expect(self.last_message.locator(".delivery")).to_have_text("✓ delivered")

    # What must not happen

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not (self.tolerated and re.search(self.tolerated, message.text)):
            self.problems.append(f"console: {message.text}")

    def _note_address(self, address: str) -> None:
        parts = urlsplit(address)
        if parts.scheme not in ("blob", "data") and parts.netloc != urlsplit(self._base_url).netloc:
            self.problems.append(f"left the machine: {address}")


def png(width: int = 8, height: int = 8, *, pixels: bytes | None = None) -> bytes:
    """Return an image of the given size, with one grey or with the given RGB pixels."""
    pixels = pixels or b"\x80" * (width * height * 3)
    stride = width * 3
    rows = b"".join(b"\0" + pixels[start : start + stride] for start in range(0, len(pixels), stride))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def chunk(kind: bytes, data: bytes) -> bytes:
    """Return one chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
