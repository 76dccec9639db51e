"""Runs the PyTorch snippet of docs/run-outputs.md on a made-up checkpoint and writes down what came out, for
packages/core/src/training/run-outputs.test.ts, which gives the same checkpoint to our own network.

    python test/oracle/run_outputs_fixture.py
"""

import hashlib
import json
import re
import tempfile
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

ROOT = Path(__file__).resolve().parents[2]
MEAN, STD, CLASSES, SIDE = [0.1307], [0.3081], 10, 28


def values(name, count):
    """Nothing random, so that both sides can make it: variances positive, all else small."""
    wave = np.sin(0.37 * np.arange(1, count + 1) + len(name))
    return (1.5 + 0.5 * wave if name.endswith("running_var") else 0.1 * wave).astype(np.float32)


snippet = re.search(r"```python\n(.*?)```", (ROOT / "docs/run-outputs.md").read_text(), re.S).group(1)
code = {}
exec(snippet, code)

shapes = {
    name: list(tensor.shape)
    for name, tensor in code["ResNet8"](len(MEAN), CLASSES).state_dict().items()
    if not name.endswith("num_batches_tracked")
}
tensors = {name: torch.from_numpy(values(name, int(np.prod(shape))).reshape(shape)) for name, shape in shapes.items()}
metadata = {"mean": json.dumps(MEAN), "std": json.dumps(STD), "class_names": json.dumps([str(i) for i in range(CLASSES)])}
images = torch.arange(2 * SIDE * SIDE).reshape(2, 1, SIDE, SIDE) * 31 % 256

with tempfile.TemporaryDirectory() as folder:
    path = f"{folder}/best.safetensors"
    save_file(tensors, path, metadata)
    network, prepare = code["load"](path)
with torch.no_grad():
    logits = network(prepare(images)).tolist()

fixture = {"snippet": hashlib.sha256(snippet.encode()).hexdigest(), "shapes": shapes, "logits": logits}
target = ROOT / "packages/core/src/training/fixtures/run-outputs.json"
target.write_text(json.dumps(fixture) + "\n")
