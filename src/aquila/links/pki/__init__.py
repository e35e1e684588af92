"""Certificates of a node: its authority, its devices' credentials, what is wrong with them."""

from aquila.links.pki.authority import DEVICE_DAYS, Authority, Issued
from aquila.links.pki.credentials import DeviceFile, device_files, new_password, write_device
from aquila.links.pki.diagnosis import Diagnosis, describe, describe_authority
from aquila.links.pki.handshakes import explain_handshake, handshake_word
from aquila.links.pki.names import device_name, server_names
from aquila.links.pki.packages import atak_package, itak_package

__all__ = [
    "DEVICE_DAYS",
    "Authority",
    "DeviceFile",
    "Diagnosis",
    "Issued",
    "atak_package",
    "describe",
    "describe_authority",
    "device_files",
    "device_name",
    "explain_handshake",
    "handshake_word",
    "itak_package",
    "new_password",
    "server_names",
    "write_device",
]
