"""Endurance: clients of two kinds talk to one server through a bad network, and a ledger proves what was delivered."""
