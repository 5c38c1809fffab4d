"""The game: a ledger of points, badges and boards. It listens to events and never steers the road.

May import the ground floor, `community` and `escalation`; knows nothing of web or API.
"""
