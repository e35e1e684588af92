"""Feeds: where the bytes of sensors come from. They only come in; nothing is ever sent but what opens a connection."""
