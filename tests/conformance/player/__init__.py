"""Replays transcripts: what a client does on the wire and must see, as data in TOML files.

``cases`` reads them, ``text`` fills in and compares texts, ``…_steps`` have the kinds of steps, and ``replay``
goes through the steps of one transcript against one server. The language is described in the README of the tests.
"""

from .cases import Deviation, Transcript, load_deviations, load_transcripts
from .replay import Failure, Replay, replay

__all__ = ["Deviation", "Failure", "Replay", "Transcript", "load_deviations", "load_transcripts", "replay"]
