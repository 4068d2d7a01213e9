"""Small helpers for asyncio, which know nothing of either protocol."""
