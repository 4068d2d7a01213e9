"""Rooms over all processes: the adapter that reaches the others through the Channels channel layer.

adapter.py      ChannelLayerAdapter: broadcasts out and in
   │
channel.py      the channel of this process: groups.py, reader.py, probe.py
   │
health.py       what works of the layer; calls.py: calls that may not answer
"""
