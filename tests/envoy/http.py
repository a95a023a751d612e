"""HTTP/1.1 as little as a test needs: an application that answers with the headers that it was sent, and a client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer one request with its headers as JSON."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()[1:]
    headers = dict(line.split(": ", 1) for line in head if line)
    body = json.dumps(headers).encode()
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
    await writer.drain()
    writer.close()
    await writer.wait_closed()


async def ask(port: int, path: str, headers: Mapping[str, str]) -> tuple[int, dict[str, str]]:
    """The status, and what the application was sent."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"GET {path} HTTP/1.1\r\nhost: catalog\r\nconnection: close\r\n{head}\r\n".encode())
    answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    top, _, body = answer.partition(b"\r\n\r\n")
    status = int(top.split()[1])
    return status, json.loads(body) if status == 200 else {}
