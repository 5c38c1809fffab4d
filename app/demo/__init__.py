"""The demo network: a small public timeline of its own process, for trying Vouch and for tests. Never part of a production start.

It knows nothing of Vouch but the signed webhook channel: it pushes posts, takes replies and answers look-ups, like any
outside system would. Only `connect`, which introduces the two to each other, touches Vouch's database.
"""
