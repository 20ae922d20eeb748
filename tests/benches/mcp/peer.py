"""A server of one tool, as the bench asks for it: what is in a folder. Its argument is the port."""

import os
import sys
from datetime import datetime, timezone

from fastmcp import FastMCP

server = FastMCP("bench")


@server.tool
def list_directory(path: str) -> list[dict]:
    """Lists a folder: name, path, type, size and time of every entry."""
    entries = []
    for entry in sorted(os.scandir(path), key=lambda entry: entry.name):
        found = entry.stat(follow_symlinks=False)
        entries.append(
            {
                "name": entry.name,
                "path": entry.path,
                "type": "directory" if entry.is_dir() else "file",
                "size": found.st_size,
                "modified_at": datetime.fromtimestamp(found.st_mtime, timezone.utc).isoformat(),
            }
        )
    return entries


server.run(
    transport="http",
    host="127.0.0.1",
    port=int(sys.argv[1]),
    show_banner=False,
    log_level="ERROR",
    uvicorn_config={"access_log": False},
)
