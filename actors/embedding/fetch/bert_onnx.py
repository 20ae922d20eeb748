"""Writes a BERT encoder's safetensors as an ONNX graph, from standard operators alone, so that any runtime reads it.

Neither torch nor transformers is needed. What differs from an export of theirs: queries, keys and values are one matrix
product, and the division by the square root of a head's width is folded into the queries' weights.
"""

import json
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import load_file

OPSET = 17  # The first with LayerNormalization.
IR_VERSION = 8
MASKED = np.float32(-10000.0)  # What transformers adds to the scores of padding.


class Graph:
    """Nodes and constants as they are added. Every method gives the name of what it computes."""

    def __init__(self):
        self.nodes, self.constants = [], []

    def constant(self, name, values):
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def op(self, kind, name, *inputs, **attributes):
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def linear(self, name, x, weight, bias):
        product = self.op("MatMul", f"{name}/product", x, self.constant(f"{name}/weight", weight.T))
        return self.op("Add", name, product, self.constant(f"{name}/bias", bias))

    def norm(self, name, x, weight, bias, epsilon):
        scale, shift = self.constant(f"{name}/weight", weight), self.constant(f"{name}/bias", bias)
        return self.op("LayerNormalization", name, x, scale, shift, axis=-1, epsilon=epsilon)


class Bert:
    """One model's weights, put into a graph from the bottom to the top."""

    def __init__(self, folder: Path):
        config = json.loads((folder / "config.json").read_text())
        if config["model_type"] != "bert" or config["hidden_act"] != "gelu":
            raise SystemExit(f"{folder}: a {config['model_type']} with {config['hidden_act']} is not known here")
        self.hidden, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.layers, self.epsilon = config["num_hidden_layers"], config["layer_norm_eps"]
        self.positions = config["max_position_embeddings"]
        self.weights = load_file(folder / "model.safetensors")
        self.graph = Graph()

    def pair(self, name):
        return self.weights[f"{name}.weight"], self.weights[f"{name}.bias"]

    def norm(self, name, source, x):
        return self.graph.norm(name, x, *self.pair(source), self.epsilon)

    def embeddings(self):
        graph, table = self.graph, lambda name: self.weights[f"embeddings.{name}.weight"]
        words = graph.op("Gather", "words", graph.constant("words/table", table("word_embeddings")), "input_ids")
        types = graph.constant("types/table", table("token_type_embeddings"))
        types = graph.op("Gather", "types", types, "token_type_ids")
        length = graph.op("Shape", "length", "input_ids", start=1, end=2)
        zero, axis = graph.constant("zero", np.array([0])), graph.constant("axis", np.array([0]))
        places = graph.constant("places/table", table("position_embeddings"))
        places = graph.op("Slice", "places", places, zero, length, axis)
        total = graph.op("Add", "embedded", graph.op("Add", "typed", words, types), places)
        return self.norm("embeddings", "embeddings.LayerNorm", total)

    def mask(self):
        graph = self.graph
        axes = graph.constant("mask/axes", np.array([1, 2]))
        mask = graph.op("Unsqueeze", "mask/wide", "attention_mask", axes)
        mask = graph.op("Cast", "mask/float", mask, to=TensorProto.FLOAT)
        padding = graph.op("Sub", "mask/padding", graph.constant("one", np.float32(1.0)), mask)
        return graph.op("Mul", "mask", padding, graph.constant("masked", MASKED))

    def attention(self, name, source, x, mask):
        graph, width = self.graph, self.hidden // self.heads
        query, key, value = (self.pair(f"{source}.self.{part}") for part in ("query", "key", "value"))
        scale = np.float32(width**-0.5)
        weight = np.concatenate([query[0] * scale, key[0], value[0]])
        bias = np.concatenate([query[1] * scale, key[1], value[1]])
        together = graph.linear(f"{name}/qkv", x, weight, bias)
        parts = [f"{name}/query", f"{name}/key", f"{name}/value"]
        graph.nodes.append(helper.make_node("Split", [together], parts, name=f"{name}/split", axis=-1))
        apart, whole = self.shapes
        query, key, value = (
            graph.op("Transpose", f"{part}/heads", graph.op("Reshape", f"{part}/apart", part, apart), perm=perm)
            for part, perm in zip(parts, ([0, 2, 1, 3], [0, 2, 3, 1], [0, 2, 1, 3]))
        )
        scores = graph.op("Add", f"{name}/scores", graph.op("MatMul", f"{name}/likeness", query, key), mask)
        shares = graph.op("Softmax", f"{name}/shares", scores, axis=-1)
        mixed = graph.op("MatMul", f"{name}/mixed", shares, value)
        mixed = graph.op("Transpose", f"{name}/back", mixed, perm=[0, 2, 1, 3])
        mixed = graph.op("Reshape", f"{name}/whole", mixed, whole)
        out = graph.linear(f"{name}/out", mixed, *self.pair(f"{source}.output.dense"))
        return self.norm(name, f"{source}.output.LayerNorm", graph.op("Add", f"{name}/sum", out, x))

    def forward(self, name, source, x, last):
        graph = self.graph
        wide = graph.linear(f"{name}/wide", x, *self.pair(f"{source}.intermediate.dense"))
        ratio = graph.op("Div", f"{name}/ratio", wide, self.root)
        bell = graph.op("Add", f"{name}/bell", graph.op("Erf", f"{name}/erf", ratio), "one")
        gelu = graph.op("Mul", f"{name}/gelu", graph.op("Mul", f"{name}/product", wide, bell), self.half)
        out = graph.linear(f"{name}/out", gelu, *self.pair(f"{source}.output.dense"))
        total = graph.op("Add", f"{name}/sum", out, x)
        return self.norm("last_hidden_state" if last else name, f"{source}.output.LayerNorm", total)

    def model(self):
        graph, width = self.graph, self.hidden // self.heads
        x, mask = self.embeddings(), self.mask()
        self.shapes = (
            graph.constant("shape/apart", np.array([0, 0, self.heads, width])),
            graph.constant("shape/whole", np.array([0, 0, self.hidden])),
        )
        self.root = graph.constant("root", np.float32(2.0**0.5))
        self.half = graph.constant("half", np.float32(0.5))
        for layer in range(self.layers):
            source = f"encoder.layer.{layer}"
            x = self.attention(f"layer{layer}/attention", f"{source}.attention", x, mask)
            x = self.forward(f"layer{layer}/forward", source, x, layer == self.layers - 1)
        ids = lambda name: helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "length"])
        out = helper.make_tensor_value_info(x, TensorProto.FLOAT, ["batch", "length", self.hidden])
        inputs = [ids("input_ids"), ids("attention_mask"), ids("token_type_ids")]
        model = helper.make_model(
            helper.make_graph(graph.nodes, "bert", inputs, [out], graph.constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            producer_name="llmbasedos",
            ir_version=IR_VERSION,
        )
        onnx.checker.check_model(model, full_check=True)
        return model


def write(folder: Path, to: Path):
    """Reads `config.json` and `model.safetensors` of `folder`."""
    onnx.save(Bert(folder).model(), to)


def quantize(model: Path, to: Path):
    """Eight-bit weights and activations. Signed and of seven bits, as processors without VNNI add pairs in 16 bits."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    quantize_dynamic(model, to, weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
