"""What clients may send: nothing that arrives over the network has the right type until it is checked."""

from django.conf import settings

NICKNAME_LENGTH = 24
ROOM_LENGTH = 40
MESSAGE_LENGTH = 2000
ID_LENGTH = 64

IMAGE_SIGNATURES = {
    b"\x89PNG\r\n\x1a\n": "image/png",
    b"\xff\xd8\xff": "image/jpeg",
    b"GIF8": "image/gif",
}


class InvalidInput(ValueError):
    """A client sent something unacceptable; the message is for the person in front of it."""


def clean_text(value: object, label: str, limit: int) -> str:
    """Return `value` without surrounding space when it is a string of 1 to `limit` characters."""
    text = value.strip() if isinstance(value, str) else ""
    if not 0 < len(text) <= limit:
        raise InvalidInput(f"{label} must have 1 to {limit} characters.")
    return text


def clean_image(data: object) -> tuple[bytes, str]:
    """Return the image and its media type, read from the image itself."""
    if not isinstance(data, bytes):
        raise InvalidInput("An image must be sent as binary data.")
    if len(data) > max_image_bytes():
        raise InvalidInput(f"An image may have at most {max_image_bytes() // 1000} kB.")
    for signature, media_type in IMAGE_SIGNATURES.items():
        if data.startswith(signature):
            return data, media_type
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, "image/webp"
    raise InvalidInput("Only PNG, JPEG, GIF and WebP images can be sent.")


def max_image_bytes() -> int:
    """Return how large an image may be so that it fits into one payload.

    HTTP long-polling carries binary data as base64, four bytes for three, next to the event.
    """
    payload: int = getattr(settings, "SIO_ENGINEIO_MAX_PAYLOAD_BYTES", 1_000_000)
    return max(payload - 1_000, 0) * 3 // 4
