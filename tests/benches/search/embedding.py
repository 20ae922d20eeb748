"""What fastembed makes of the same texts with the same model: usage embedding.py FOLDER TEXTS.json THREADS; prints
seconds, the better of one text at a time and of its batches."""

import json
import sys
import time

from fastembed import TextEmbedding
from fastembed.common.model_description import ModelSource, PoolingType

folder, texts, threads = sys.argv[1], json.load(open(sys.argv[2])), int(sys.argv[3])
TextEmbedding.add_custom_model(
    model="bench/all-MiniLM-L6-v2",
    pooling=PoolingType.MEAN,
    normalization=True,
    sources=ModelSource(hf="bench/all-MiniLM-L6-v2"),
    dim=384,
    model_file="model.onnx",
)
model = TextEmbedding("bench/all-MiniLM-L6-v2", specific_model_path=folder, threads=threads)
list(model.embed(["word"]))
best = float("inf")
for batch in (1, 32):
    begun = time.perf_counter()
    made = list(model.embed(texts, batch_size=batch))
    best = min(best, time.perf_counter() - begun)
    assert len(made) == len(texts)
print(best)
