"""Socket.IO v5 without I/O: packets, how they are written and read, and the reasons of a disconnect.

Sans-I/O: the standard library only, without asyncio and without a clock.
"""
