"""The official OpenAI client, unchanged: where it asks and with which key comes from its own variables. `scripted` is
for an upstream that goes wrong when it is told to, `real` for one that only answers."""

import json
import os
import sys

import openai

client = openai.OpenAI(max_retries=0)
ASK = {"model": "small", "messages": [{"role": "user", "content": "Say hello."}]}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
        },
    }
]
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
LOOK = [{"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]}]


def report(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


def ask(asks=client, **more):
    return asks.chat.completions.create(**{**ASK, **more})


def fails(step, kind, call, *headers):
    try:
        call()
    except kind as error:
        told = {name: error.response.headers.get(name) for name in headers}
        report(step, status=error.status_code, code=error.code, **told)


def chats():
    answer = ask()
    report("chat", text=answer.choices[0].message.content, tokens=answer.usage.total_tokens)
    text, finish, tokens = "", None, None
    for chunk in ask(stream=True, stream_options={"include_usage": True}):
        if chunk.choices:
            text += chunk.choices[0].delta.content or ""
            finish = chunk.choices[0].finish_reason or finish
        if chunk.usage:
            tokens = chunk.usage.total_tokens
    report("stream", text=text, finish=finish, tokens=tokens)


def tools(model):
    answer = ask(model=model, tools=TOOLS)
    call = answer.choices[0].message.tool_calls[0].function
    report("tool", name=call.name, arguments=json.loads(call.arguments))
    name, arguments = "", ""
    for chunk in ask(model=model, tools=TOOLS, stream=True):
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or []:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    report("tool in a stream", name=name, arguments=json.loads(arguments))


def troubles():
    fails("upstream fails", openai.InternalServerError, ask)
    fails("upstream is overloaded", openai.InternalServerError, ask, "retry-after")
    fails("upstream is down", openai.InternalServerError, lambda: ask(model="gone"))
    text = ""
    try:
        for chunk in ask(stream=True):
            text += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        report("stream fails", text=text, code=error.code, message=error.message)
    with ask(stream=True) as stream:
        next(iter(stream))
    report("left")


def refusals():
    nobody = openai.OpenAI(api_key="llmb_wrong", max_retries=0)
    guest = openai.OpenAI(api_key=os.environ["GUEST_KEY"], max_retries=0)
    fails("wrong key", openai.AuthenticationError, nobody.models.list)
    fails("no such model", openai.NotFoundError, lambda: ask(model="none"))
    fails("not your model", openai.PermissionDeniedError, lambda: ask(guest))
    fails("bad parameter", openai.BadRequestError, lambda: ask(temperature=9))
    limits = ["limit-tokens", "remaining-tokens", "reset-tokens", "limit-requests", "remaining-requests"]
    told = ["retry-after", *(f"x-ratelimit-{name}" for name in limits)]
    fails("too much", openai.RateLimitError, lambda: ask(max_tokens=100_000), *told)


def scripted():
    report("models", ids=sorted(model.id for model in client.models.list()))
    chats()
    tools("small")
    answer = ask(response_format={"type": "json_object"})
    report("json", value=json.loads(answer.choices[0].message.content))
    report("image", text=ask(messages=LOOK).choices[0].message.content)
    troubles()
    vectors = client.embeddings.create(model="vectors", input=["a", "b"])
    floats = all(isinstance(n, float) for n in vectors.data[0].embedding)
    report("embeddings", count=len(vectors.data), floats=floats, tokens=vectors.usage.total_tokens)
    refusals()


def real():
    chats()
    tools("caller")


{"scripted": scripted, "real": real}[sys.argv[1]]()
