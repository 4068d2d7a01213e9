"""People in front of the sample chat: real browsers against real servers."""
