"""Ports and client addresses, so that neither the tests nor the people in them get in each other's way."""

import socket


def free_port() -> int:
    """A port of this machine that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def network(number: int) -> dict[str, str]:
    """The header of a request that the proxy took from a network of its own, so that no limit is met."""
    return {"x-forwarded-for": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"}
