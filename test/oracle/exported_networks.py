"""Loads the safetensors files that exported_networks.mjs wrote into PyTorch's networks and compares the logits.

    VENV/bin/python test/oracle/exported_networks.py OUT
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/peers"))
from networks import FULL, Plain  # noqa: E402

out = Path(sys.argv[1])
images = json.loads((out / "images.json").read_text())
x = torch.tensor(images["values"], dtype=torch.float64).reshape(images["shape"]).permute(0, 3, 1, 2)
for name, logits in json.loads((out / "logits.json").read_text()).items():
    build, config = FULL[name]
    network = build(config, Plain()).double().eval()
    missing, unexpected = network.load_state_dict(load_file(out / f"{name}.safetensors"), strict=False)
    assert not unexpected and all(key.endswith("num_batches_tracked") for key in missing), (missing, unexpected)
    with torch.no_grad():
        wanted = network(x).flatten()
    difference = (torch.tensor(logits, dtype=torch.float64) - wanted).abs().max() / wanted.abs().max()
    print(f"{name}: engine against PyTorch {difference:.1e}")
    assert difference < 2e-5, name
