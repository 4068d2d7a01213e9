"""The servers that are measured. All answer the same few events, in the main namespace:

`["echo", x]`
    Acknowledged with `x`.
`["join"]`
    Joins the room, and is acknowledged.
`["broadcast", x]`
    Sends `["news", x]` to the room.
"""
