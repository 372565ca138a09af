"""Virtual time and the events that are waiting in it."""
