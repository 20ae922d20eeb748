"""What FAISS makes of the same vectors: usage neighbours.py CHUNKS.f32 QUERIES.f32"""

import sys
import time

import faiss
import numpy as np

DIMENSION = 384
K = 10

chunks = np.fromfile(sys.argv[1], dtype="float32").reshape(-1, DIMENSION)
queries = np.fromfile(sys.argv[2], dtype="float32").reshape(-1, DIMENSION)
# One question at a time, as a person asks.
faiss.omp_set_num_threads(1)
flat = faiss.IndexFlatIP(DIMENSION)
flat.add(chunks)


def ask(index):
    times, found = [], []
    for query in queries:
        begun = time.perf_counter()
        _, ids = index.search(query[None], K)
        times.append(time.perf_counter() - begun)
        found.append(ids[0])
    times.sort()
    return times[len(times) // 2] * 1e3, times[int(len(times) * 0.99)] * 1e3, found


p50, p99, best = ask(flat)
print(f"faiss, exact: p50 {p50:.2f} ms, p99 {p99:.2f} ms")
faiss.omp_set_num_threads(2)
graph = faiss.IndexHNSWFlat(DIMENSION, 32, faiss.METRIC_INNER_PRODUCT)
graph.hnsw.efConstruction = 100
begun = time.perf_counter()
graph.add(chunks)
took = time.perf_counter() - begun
faiss.omp_set_num_threads(1)
print(f"faiss, HNSW of 32 links, built with width 100 in {took:.0f} s")
for width in (32, 64, 128, 256):
    graph.hnsw.efSearch = width
    p50, p99, found = ask(graph)
    recall = np.mean([len(set(one) & set(other)) / K for one, other in zip(found, best)])
    print(f"faiss, width {width}: p50 {p50:.2f} ms, p99 {p99:.2f} ms, recall@{K} {recall:.4f}")
    if recall >= 0.99:
        break
