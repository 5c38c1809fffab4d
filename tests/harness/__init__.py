"""What tests stand on: real databases, a real Redis, real processes, and a client that behaves like a browser with a person in front."""
