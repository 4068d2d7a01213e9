"""Where one Engine.IO connection stands: its states, what moves it between them, and why it ended.

Theory of operation
===================

A session is on exactly one transport at a time. It starts on the one that its handshake came by, and can move once,
from polling to WebSocket:

    POLLING ──PROBE──▶ UPGRADING ──UPGRADE──▶ WEBSOCKET
       ▲                   │
       └───PROBE_FAILED────┘

While UPGRADING the session still *is* on polling. The WebSocket that probes is only a candidate: it carries nothing but
the probe and the `5` packet, polls go on being answered (with `noop` every 100 ms, so that a client that waits for its
poll to end can go on), and whatever goes wrong with the candidate leaves polling untouched. The `5` packet moves the
buffered packets over, in order.

The application's `close()` lets buffered packets go out first, and takes no new ones. The three CLOSING states say by
which way they go: on polling, the client takes the rest with its next poll and learns of the close with the one after;
on WebSocket the writer drains the buffer and closes.

    POLLING   ──CLOSE──▶ CLOSING_POLLING
    UPGRADING ──CLOSE──▶ CLOSING_UPGRADING
    WEBSOCKET ──CLOSE──▶ CLOSING_WEBSOCKET

END is every end: the rest was delivered, the client closed, the transport broke, a heartbeat was missed, a packet was
malformed. It is accepted in every state and is idempotent. There is no way out of CLOSED.

A key that is missing from the table is the protocol error: a second WebSocket for a session is a PROBE in a state that
has no PROBE.

WARNING for the next editor: the table knows nothing of time or buffers. What a state means for them is in `session.py`,
and both must change together: a CLOSING state holds a deadline, an UPGRADING one holds two (upgrade timeout, next
noop), and only states in OPEN_STATES take new packets.
"""

from __future__ import annotations

from enum import Enum, StrEnum, auto

from ...exceptions import InvalidTransition


class Transport(StrEnum):
    """The transports by their name in the `transport` query parameter."""

    POLLING = "polling"
    WEBSOCKET = "websocket"


class State(Enum):
    """The states of a session."""

    POLLING = auto()
    UPGRADING = auto()
    WEBSOCKET = auto()
    CLOSING_POLLING = auto()
    CLOSING_UPGRADING = auto()
    CLOSING_WEBSOCKET = auto()
    CLOSED = auto()


class Input(Enum):
    """What moves a session from one state to another."""

    PROBE = auto()
    """A WebSocket came with the session's sid."""
    PROBE_FAILED = auto()
    """That WebSocket is gone, said something else than it should, or took too long."""
    UPGRADE = auto()
    """It sent the `5` packet."""
    CLOSE = auto()
    """The application wants the session closed once its packets are delivered."""
    END = auto()
    """The session is over."""


class CloseReason(StrEnum):
    """Why a session ended. The strings are the reference's."""

    TRANSPORT_CLOSE = "transport close"
    TRANSPORT_ERROR = "transport error"
    PING_TIMEOUT = "ping timeout"
    PARSE_ERROR = "parse error"
    FORCED_CLOSE = "forced close"
    SERVER_SHUTTING_DOWN = "server shutting down"


TRANSITIONS: dict[State, dict[Input, State]] = {
    # Open, with the client between two polls or in one.
    State.POLLING: {
        Input.PROBE: State.UPGRADING,
        Input.CLOSE: State.CLOSING_POLLING,
        Input.END: State.CLOSED,
    },
    # Open on polling, with a candidate. No second PROBE: one WebSocket at a time ("transport has already been trying to
    # upgrade").
    State.UPGRADING: {
        Input.PROBE_FAILED: State.POLLING,
        Input.UPGRADE: State.WEBSOCKET,
        Input.CLOSE: State.CLOSING_UPGRADING,
        Input.END: State.CLOSED,
    },
    # Open, for good: there is no way back to polling, and no second upgrade ("transport had already been upgraded").
    State.WEBSOCKET: {
        Input.CLOSE: State.CLOSING_WEBSOCKET,
        Input.END: State.CLOSED,
    },
    # Closed for the application, and its packets not delivered yet. No PROBE: a client that comes to upgrade now is
    # late.
    State.CLOSING_POLLING: {
        Input.CLOSE: State.CLOSING_POLLING,
        Input.END: State.CLOSED,
    },
    # "If state is closing when the upgrade packet comes, buffered packets are flushed, then the transport is closed."
    State.CLOSING_UPGRADING: {
        Input.PROBE_FAILED: State.CLOSING_POLLING,
        Input.UPGRADE: State.CLOSING_WEBSOCKET,
        Input.CLOSE: State.CLOSING_UPGRADING,
        Input.END: State.CLOSED,
    },
    # The writer drains the buffer; END comes from the writer when it is empty.
    State.CLOSING_WEBSOCKET: {
        Input.CLOSE: State.CLOSING_WEBSOCKET,
        Input.END: State.CLOSED,
    },
    # Final. CLOSE and END are taken, so that a caller who ends a session need not ask whether somebody else just did.
    State.CLOSED: {
        Input.CLOSE: State.CLOSED,
        Input.END: State.CLOSED,
    },
}

# What a state means for those who only ask one thing of it.
OPEN_STATES = frozenset({State.POLLING, State.UPGRADING, State.WEBSOCKET})
UPGRADING_STATES = frozenset({State.UPGRADING, State.CLOSING_UPGRADING})
WEBSOCKET_STATES = frozenset({State.WEBSOCKET, State.CLOSING_WEBSOCKET})


def transition(state: State, trigger: Input) -> State:
    """Returns the state that `trigger` leads to. Raises InvalidTransition where the table has none."""
    try:
        return TRANSITIONS[state][trigger]
    except KeyError:
        raise InvalidTransition(f"{trigger.name} is not possible in the state {state.name}") from None
