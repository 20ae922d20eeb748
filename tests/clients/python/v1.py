"""The Python SDK of the 1.x line."""

import os

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamablehttp_client
from pydantic import AnyUrl

from steps import TASK, report, steps


def connect():
    if TASK.get("url"):
        token = TASK.get("token")
        return streamablehttp_client(TASK["url"], headers={"Authorization": f"Bearer {token}"} if token else None)
    env = {**os.environ, **TASK.get("env", {})}
    return stdio_client(StdioServerParameters(command=TASK["command"], args=TASK["args"], env=env))


async def main():
    async with connect() as streams:
        async with ClientSession(streams[0], streams[1]) as session:
            begun = await session.initialize()
            report("connected", server=begun.serverInfo.name, version=begun.protocolVersion)
            await steps(session, AnyUrl)
    report("closed")


anyio.run(main)
