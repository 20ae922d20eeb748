"""The steps that every client takes, whatever its SDK is called: one JSON line for each on standard output.

`TASK` is the test's: {url|command,args,env, token, mode, write, read, resource, prompts, denied, slow, progress}.
"""

import json
import sys
import time

import anyio

TASK = json.loads(sys.argv[1])


def report(step, **facts):
    print(json.dumps({"step": step, **facts}), flush=True)


async def outcome(call):
    """Whether a call failed, and what was said, however the SDK puts it."""
    try:
        result = await call
    except Exception as error:
        return {"failed": True, "text": str(error)}
    text = "".join(getattr(part, "text", "") for part in result.content)
    failed = getattr(result, "is_error", getattr(result, "isError", False))
    return {"failed": bool(failed), "text": text}


async def steps(session, uri):
    """Takes the steps; `uri` makes of a text what this SDK reads a resource by."""

    def call(tool, **options):
        return session.call_tool(tool["name"], tool.get("arguments"), **options)

    tools = await session.list_tools()
    report("tools", names=[tool.name for tool in tools.tools])
    for step in ("write", "read"):
        if TASK.get(step):
            report(step, **await outcome(call(TASK[step])))
    if TASK.get("resource"):
        contents = (await session.read_resource(uri(TASK["resource"]))).contents
        report("resource", uri=str(contents[0].uri), text=getattr(contents[0], "text", None))
    if TASK.get("prompts"):
        prompts = (await session.list_prompts()).prompts
        needed = [one.name for one in prompts[0].arguments or [] if one.required]
        got = await session.get_prompt(prompts[0].name, dict.fromkeys(needed, TASK["prompts"]))
        names = [one.name for one in prompts]
        report("prompt", names=names, name=prompts[0].name, messages=len(got.messages))
    if TASK.get("denied"):
        report("denied", **await outcome(call(TASK["denied"])))
    if TASK.get("slow"):
        began = time.monotonic()
        # A tool says nothing when it begins: this is how long a person hesitates.
        with anyio.move_on_after(0.5) as scope:
            await outcome(call(TASK["slow"]))
        report("cancelled", failed=scope.cancelled_caught, seconds=time.monotonic() - began)
    if TASK.get("progress"):
        seen = []

        async def progress(now, total, message):
            seen.append(now)

        report("progress", **await outcome(call(TASK["progress"], progress_callback=progress)), seen=seen)
    report("usable", tools=len((await session.list_tools()).tools))
