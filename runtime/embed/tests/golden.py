"""Makes golden.json: what the Python runtime makes of some texts with the same model.

usage: golden.py MODELS > golden.json, MODELS as printed by ../fetch/model; needs onnxruntime and tokenizers.
"""

import json
import sys

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

TEXTS = [
    "Where did I put the invoice of the plumber?",
    "Der Hund schläft im Garten, während es regnet: 東京 🐕.",
    "fn main() { println!(\"{}\", std::env::args().count()); }",
    "The committee approved the budget after a long debate about the bridge. " * 40,
]

folder = f"{sys.argv[1]}/all-MiniLM-L6-v2"
tokenizer = Tokenizer.from_file(f"{folder}/tokenizer.json")
tokenizer.no_padding()
tokenizer.enable_truncation(256)
session = onnxruntime.InferenceSession(f"{folder}/model.onnx")
made = []
for text in TEXTS:
    ids = np.array([tokenizer.encode(text).ids])
    inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    vector = session.run(None, inputs)[0][0].mean(axis=0)
    vector /= np.linalg.norm(vector)
    made.append({"text": text, "vector": [round(float(number), 6) for number in vector]})
json.dump(made, sys.stdout, ensure_ascii=False, separators=(",", ":"))
print()
