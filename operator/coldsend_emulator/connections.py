"""The open connections by client address, so that faults can end one during a request."""

import asyncio

Client = tuple[str, int]


class Connections:
    def __init__(self) -> None:
        self._transports: dict[Client, asyncio.Transport] = {}

    def opened(self, client: Client, transport: asyncio.Transport) -> None:
        self._transports[client] = transport

    def closed(self, client: Client) -> None:
        self._transports.pop(client, None)

    def cut(self, client: Client) -> None:
        """Close a connection now; unsent data is lost."""
        transport = self._transports.get(client)
        if transport:
            transport.abort()

    def finish(self, client: Client) -> None:
        """Close a connection after all written data is sent."""
        transport = self._transports.get(client)
        if transport:
            transport.close()
