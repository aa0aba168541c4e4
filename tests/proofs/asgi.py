"""Requests to an ASGI application in this process."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx


def request(web: Any, path: str, method: str = "GET") -> httpx.Response:  # noqa: ANN401 - an application of a program
    """Send one request, and wait until the application has done all that it does for it.

    :returns: the answer.
    """

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(web)
        async with httpx.AsyncClient(transport=transport, base_url="http://program") as client:
            return await client.request(method, path)

    return asyncio.run(send())
