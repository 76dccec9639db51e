"""PyTorch's side of bench/parity.mjs.

Usage: parity.py make MODEL FOLDER BATCH   weights, and what PyTorch computes from them, as safetensors; prints how far
                                           PyTorch's own float32 is from the float64 that all is measured against
       parity.py load MODEL FOLDER         loads what we have trained, and prints its logits on the first batch
"""

import copy
import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from networks import FULL, Plain
from safetensors.torch import load_file, save_file
from torch import nn

# Small steps: with large ones, what one ReLU's rounding changes has grown into another training after twenty of them,
# between PyTorch's own float32 and float64 too. That large steps are right, the narrow fixtures show.
TRAINING = {"momentum": 0.9, "weightDecay": 5e-4, "learningRates": [0.0003] * 20}
BATCHES = 4


def build(model):
    """Without dropout, which draws."""
    network, config = FULL[model]
    return network(config | {"dropout": 0}, Plain)


def randomise(network, model):
    """Batch norm as training leaves it. Of NiN, which has none, the convolutions as its source draws them."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.normal_(0, 0.2)
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 2)
            elif model == "nin" and isinstance(module, nn.Conv2d):
                module.weight.normal_(0, 0.05)
                module.bias.zero_()


def results(network, images, labels):
    """Eval logits; gradients of the first batch; the losses of twenty steps of SGD, and eval logits after them."""
    found = {"logits": network.eval()(images[0]).detach()}
    network.train()
    optimiser = torch.optim.SGD(
        network.parameters(), lr=0, momentum=TRAINING["momentum"], weight_decay=TRAINING["weightDecay"]
    )
    losses = []
    for step, rate in enumerate(TRAINING["learningRates"]):
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss = F.cross_entropy(network(images[step % BATCHES]), labels[step % BATCHES])
        loss.backward()
        losses.append(loss.item())
        if step == 0:
            found |= {f"gradient.{name}": p.grad.clone() for name, p in network.named_parameters()}
        optimiser.step()
    return found | {"losses": torch.tensor(losses, dtype=torch.float64)}


def distances(got, wanted):
    """As bench/parity.mjs measures them."""
    gradients = [name for name in wanted if name.startswith("gradient.")]
    return {
        "logits": ((got["logits"] - wanted["logits"]).abs().max() / (wanted["logits"].max() - wanted["logits"].min())).item(),
        "gradients": max(((got[n] - wanted[n]).norm() / wanted[n].norm()).item() for n in gradients),
        "losses": ((got["losses"] - wanted["losses"]).abs().max() / wanted["losses"][0]).item(),
    }


def make(model, folder, batch):
    torch.manual_seed(20181)
    network = build(model)
    randomise(network, model)
    images = torch.randn(BATCHES, batch, 3, 32, 32)
    labels = torch.randint(0, 10, (BATCHES, batch))
    save_file(network.state_dict(), folder / "weights.safetensors")
    exact = results(copy.deepcopy(network).double(), images.double(), labels)
    single = results(network, images, labels)
    tensors = {"images": images.permute(0, 1, 3, 4, 2), "labels": labels.float()} | exact
    save_file({name: t.float().contiguous() for name, t in tensors.items()}, folder / "reference.safetensors")
    return {"torch": f"PyTorch {torch.__version__}", "training": TRAINING, "single": distances(single, exact)}


def load(model, folder):
    network = build(model)
    missing, unexpected = network.load_state_dict(load_file(folder / "ours.safetensors"), strict=False)
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
    if wrong:
        raise SystemExit(f"names that do not fit: {wrong}")
    images = load_file(folder / "reference.safetensors")["images"][0].permute(0, 3, 1, 2)
    with torch.no_grad():
        return network.double().eval()(images.double()).tolist()


def main(command, model, folder, batch="8"):
    if command == "make":
        return make(model, Path(folder), int(batch))
    return load(model, Path(folder))


print(json.dumps(main(*sys.argv[1:])))
