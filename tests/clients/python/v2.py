"""The Python SDK of the 2.x line: legacy, auto, or pinned to one revision."""

import os

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client

from steps import TASK, report, steps


def server():
    if TASK.get("url"):
        token = TASK.get("token")
        headers = {"Authorization": f"Bearer {token}"} if token else None
        return streamable_http_client(TASK["url"], http_client=create_mcp_http_client(headers=headers))
    env = {**os.environ, **TASK.get("env", {})}
    return StdioServerParameters(command=TASK["command"], args=TASK["args"], env=env)


async def main():
    async with Client(server(), mode=TASK["mode"]) as client:
        named = client.server_info
        report("connected", server=named.name if named else None, version=client.protocol_version)
        await steps(client, str)
    report("closed")


anyio.run(main)
