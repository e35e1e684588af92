"""The node in memory and the desks of the staff's tests."""

from tests.staff.conftest import client, desk, partner, port, viewer

__all__ = ["client", "desk", "partner", "port", "viewer"]
