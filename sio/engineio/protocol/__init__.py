"""Engine.IO v4 without I/O: packets, the state of a session, its buffer and timers, and what a request asks for.

Sans-I/O: the standard library only, without asyncio and without a clock. Time comes in as an argument.
"""
