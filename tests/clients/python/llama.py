"""A real llama.cpp server with a model made on the spot, whose answer is always the same: `text`, or `tools`.

The model has llama's architecture and no thoughts: attention and feed-forward are zero, so the next token depends on
the last one alone, and a chain of tokens is its whole knowledge. Answers are words, or one call of a tool.
"""

import pathlib
import signal
import sys
import tempfile
import threading

import gguf
import numpy
import xllamacpp

ANSWERS = {
    "text": ["Hello", " from", " a", " real", " llama."],
    "tools": ['<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'],
}
TEMPLATE = """{%- if tools %}<|im_start|>system
You may call functions within <tools></tools>:
<tools>{% for tool in tools %}
{{ tool | tojson }}{% endfor %}
</tools>
For each call return a JSON object with its name and arguments within <tool_call></tool_call> tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call><|im_end|>
{% endif %}{%- for message in messages %}<|im_start|>{{ message.role }}
{{ message.content or '' }}{%- for call in message.tool_calls or [] %}
<tool_call>
{"name": "{{ call.function.name }}", "arguments": {{ call.function.arguments | tojson }}}
</tool_call>{%- endfor %}<|im_end|>
{% endfor %}{%- if add_generation_prompt %}<|im_start|>assistant
{% endif %}"""
SPECIAL = ["<unk>", "<|im_start|>", "<|im_end|>"]
END = 2
WIDTH, HEADS, FEED = 320, 5, 64


def letters():
    """GPT-2's printable stand-ins for the 256 bytes."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(others)) for byte in range(256)]


def write(path, words):
    stand_in = letters()
    spelled = ["".join(stand_in[byte] for byte in word.encode()) for word in words]
    tokens = SPECIAL + stand_in + spelled
    first = len(SPECIAL) + 256
    model = gguf.GGUFWriter(path, "llama")
    model.add_block_count(1)
    model.add_context_length(8192)
    model.add_embedding_length(WIDTH)
    model.add_feed_forward_length(FEED)
    model.add_head_count(HEADS)
    model.add_head_count_kv(HEADS)
    model.add_layer_norm_rms_eps(1e-5)
    model.add_rope_dimension_count(WIDTH // HEADS)
    model.add_vocab_size(len(tokens))
    model.add_file_type(gguf.LlamaFileType.ALL_F32)
    model.add_tokenizer_model("gpt2")
    model.add_tokenizer_pre("gpt-2")
    model.add_token_list(tokens)
    kinds = [gguf.TokenType.CONTROL] * len(SPECIAL) + [gguf.TokenType.NORMAL] * (len(tokens) - len(SPECIAL))
    model.add_token_types(kinds)
    model.add_token_merges(["e r"])
    model.add_bos_token_id(1)
    model.add_eos_token_id(END)
    model.add_pad_token_id(END)
    model.add_unk_token_id(0)
    model.add_add_bos_token(False)
    model.add_chat_template(TEMPLATE)

    # Each token is a direction of its own, and what follows it is read off that direction.
    here = numpy.zeros((len(tokens), WIDTH), numpy.float32)
    here[numpy.arange(len(tokens)), numpy.arange(len(tokens))] = 1
    after = numpy.full((len(tokens), WIDTH), -3, numpy.float32)
    newline = len(SPECIAL) + ord("\n")
    chain = [newline, *range(first, len(tokens)), END]
    for token, follower in zip(chain, chain[1:]):
        after[follower, token] = 3
    model.add_tensor("token_embd.weight", here)
    model.add_tensor("output.weight", after)
    model.add_tensor("output_norm.weight", numpy.ones(WIDTH, numpy.float32))
    for name in ("attn_q", "attn_k", "attn_v", "attn_output"):
        model.add_tensor(f"blk.0.{name}.weight", numpy.zeros((WIDTH, WIDTH), numpy.float32))
    for name in ("attn_norm", "ffn_norm"):
        model.add_tensor(f"blk.0.{name}.weight", numpy.ones(WIDTH, numpy.float32))
    for name, shape in (("gate", (FEED, WIDTH)), ("up", (FEED, WIDTH)), ("down", (WIDTH, FEED))):
        model.add_tensor(f"blk.0.ffn_{name}.weight", numpy.zeros(shape, numpy.float32))
    model.write_header_to_file()
    model.write_kv_data_to_file()
    model.write_tensors_to_file()
    model.close()


def main():
    answer, port = sys.argv[1], int(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        path = str(pathlib.Path(folder) / "model.gguf")
        write(path, ANSWERS[answer])
        settings = xllamacpp.CommonParams()
        settings.model.path = path
        settings.hostnames = ["127.0.0.1"]
        settings.port = port
        settings.n_ctx = 4096
        settings.n_parallel = 2
        settings.cpuparams.n_threads = settings.cpuparams_batch.n_threads = 1
        settings.use_jinja = True
        server = xllamacpp.Server(settings)
        print(f"listening {server.listening_address}", flush=True)
        over = threading.Event()
        for kind in (signal.SIGTERM, signal.SIGINT):
            signal.signal(kind, lambda *_: over.set())
        over.wait()


main()
