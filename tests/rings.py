"""The rings of the package, which `unit/test_architecture.py` enforces.

    python -m tests.rings

prints the files of the innermost one, whose branches are all tested, as coverage takes them.
"""

#: 1: sans-I/O, the standard library only. 2: asyncio. 3: Channels and Django.
RINGS = {
    "sio": 3,
    "sio.apps": 3,
    "sio.checks": 3,
    "sio.conf": 3,
    "sio.consumer": 3,
    "sio.database": 3,
    "sio.emitter": 3,
    "sio.exceptions": 1,
    "sio.mounts": 3,
    "sio.sessions": 3,
    "sio.shutdown": 3,
    "sio.testing": 3,
    "sio.users": 3,
    "sio.engineio": 3,
    "sio.engineio.admission": 2,
    "sio.engineio.app": 2,
    "sio.engineio.connection": 2,
    "sio.engineio.faults": 2,
    "sio.engineio.handshake": 1,
    "sio.engineio.options": 1,
    "sio.engineio.origins": 3,
    "sio.engineio.outbox": 1,
    "sio.engineio.packets": 1,
    "sio.engineio.polling": 3,
    "sio.engineio.registry": 2,
    "sio.engineio.repeats": 2,
    "sio.engineio.request": 3,
    "sio.engineio.servers": 2,
    "sio.engineio.session": 1,
    "sio.engineio.socket": 2,
    "sio.engineio.standstill": 2,
    "sio.engineio.state": 1,
    "sio.engineio.steps": 2,
    "sio.engineio.tasks": 2,
    "sio.engineio.turns": 2,
    "sio.engineio.undecided": 2,
    "sio.engineio.upgrades": 2,
    "sio.engineio.websocket": 3,
    "sio.engineio.writer": 2,
    "sio.socketio": 2,
    "sio.socketio.adapter": 2,
    "sio.socketio.attachments": 1,
    "sio.socketio.broadcast": 2,
    "sio.socketio.channel_layer": 3,
    "sio.socketio.client": 2,
    "sio.socketio.handlers": 2,
    "sio.socketio.held": 1,
    "sio.socketio.hints": 2,
    "sio.socketio.home": 2,
    "sio.socketio.json_text": 1,
    "sio.socketio.layer_calls": 2,
    "sio.socketio.layer_channel": 2,
    "sio.socketio.layer_groups": 2,
    "sio.socketio.layer_health": 2,
    "sio.socketio.layer_probe": 2,
    "sio.socketio.layer_reader": 2,
    "sio.socketio.misnomers": 2,
    "sio.socketio.namespace": 2,
    "sio.socketio.options": 1,
    "sio.socketio.packets": 1,
    "sio.socketio.parser": 1,
    "sio.socketio.server": 2,
    "sio.socketio.socket": 2,
    "sio.socketio.tally": 2,
    "sio.socketio.upkeep": 2,
    "sio.socketio.worker": 2,
}


def sans_io_files() -> list[str]:
    return [f"{name.replace('.', '/')}.py" for name, ring in RINGS.items() if ring == 1]


if __name__ == "__main__":
    print(",".join(sans_io_files()))
