"""The official OpenAI client, unchanged: where it asks and with which key comes from its own variables."""

import json

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


def report(step, **what):
    print(json.dumps({"step": step, **what}), flush=True)


def fails(step, kind, call):
    try:
        call()
    except kind as error:
        report(step, status=error.status_code, code=error.code, retry_after=error.response.headers.get("retry-after"))
    else:
        report(step, status=None)


report("models", ids=sorted(model.id for model in client.models.list()))

answer = client.chat.completions.create(**ASK)
report("chat", text=answer.choices[0].message.content, tokens=answer.usage.total_tokens)

text, finish, tokens = "", None, None
for chunk in client.chat.completions.create(**ASK, stream=True, stream_options={"include_usage": True}):
    if chunk.choices:
        text += chunk.choices[0].delta.content or ""
        finish = chunk.choices[0].finish_reason or finish
    if chunk.usage:
        tokens = chunk.usage.total_tokens
report("stream", text=text, finish=finish, tokens=tokens)

answer = client.chat.completions.create(**ASK, tools=TOOLS)
call = answer.choices[0].message.tool_calls[0].function
report("tool", name=call.name, arguments=json.loads(call.arguments))

name, arguments = "", ""
for chunk in client.chat.completions.create(**ASK, tools=TOOLS, stream=True):
    for choice in chunk.choices:
        for call in choice.delta.tool_calls or []:
            name += call.function.name or ""
            arguments += call.function.arguments or ""
report("tool in a stream", name=name, arguments=json.loads(arguments))

fails("upstream fails", openai.InternalServerError, lambda: client.chat.completions.create(**ASK))

with client.chat.completions.create(**ASK, stream=True) as stream:
    next(iter(stream))
report("left")

vectors = client.embeddings.create(model="vectors", input=["a", "b"])
report("embeddings", count=len(vectors.data), floats=all(isinstance(n, float) for n in vectors.data[0].embedding))

fails("wrong key", openai.AuthenticationError, openai.OpenAI(api_key="llmb_wrong", max_retries=0).models.list)
fails("no such model", openai.NotFoundError, lambda: client.chat.completions.create(**{**ASK, "model": "none"}))
fails("bad parameter", openai.BadRequestError, lambda: client.chat.completions.create(**ASK, temperature=9))
fails("too much", openai.RateLimitError, lambda: client.chat.completions.create(**ASK, max_tokens=100_000))
