"""The two transports, as ASGI applications: one instance serves one HTTP request, or one WebSocket.

polling.py      a GET that waits, or a POST
websocket.py    a WebSocket; upgrade.py: one that comes for a session on polling
   │
request.py      what a request asks for, and whether it may; decision.py: while somebody decides
network.py      the network connection below, as far as it can be seen
"""
