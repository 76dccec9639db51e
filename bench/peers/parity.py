"""PyTorch's side of bench/parity.mjs. All distances are from float64; of trainings, along the branches that were taken at
kinks, and beside that ("free") from a float64 that took its own.

Usage: parity.py make MODEL FOLDER BATCH   weights and inputs, as safetensors, and what PyTorch computes from them in
                                           float64 and in float32; prints how far its float32 is from float64
       parity.py judge MODEL FOLDER        prints how far our results are from float64
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from branches import Following, Recording, read_branches
from networks import FULL, Plain, draw_batch_norm
from safetensors.torch import load_file, save_file
from torch import nn

# With steps of 0.01, PyTorch's float32 leaves float64 even along its own branches (ResNet-34): what there is to see then is
# how a training amplifies. Chosen by PyTorch's two precisions alone. The narrow fixtures have large steps.
LEARNING_RATE = 0.001
# At its start the gradient of DPN-92's first layer is two hundred long: of larger steps, and of fewer images a batch, each
# amplifies rounding to other branches far from any kink, in PyTorch too (docs/decisions/0275).
LEARNING_RATES = {"dpn92": 0.000003}
STEPS = 20
BATCHES = 4


def training_of(model):
    rate = LEARNING_RATES.get(model, LEARNING_RATE)
    return {"momentum": 0.9, "weightDecay": 5e-4, "learningRates": [rate] * STEPS}


def build(model, activations=Plain, like=None):
    """Without dropout, which draws. `like`: a state_dict to start from, in float64."""
    network, config = FULL[model]
    built = network(config | {"dropout": 0}, activations)
    if like is not None:
        built.double().load_state_dict(like)
    return built


def randomise(network, model):
    """Batch norm as training leaves it. Of NiN, which has none, the convolutions as its source draws them."""
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                draw_batch_norm(module)
            elif model == "nin" and isinstance(module, nn.Conv2d):
                module.weight.normal_(0, 0.05)
                module.bias.zero_()


def eval_logits(network, images):
    with torch.no_grad():
        return network.eval()(images[0])


def train(model, network, images, labels, each_step):
    """Gradients of the first batch and the losses of twenty steps of SGD. `each_step` is called before and after each."""
    network.train()
    found = {"losses": []}
    training = training_of(model)
    optimiser = torch.optim.SGD(
        network.parameters(), lr=0, momentum=training["momentum"], weight_decay=training["weightDecay"]
    )
    for step, rate in enumerate(training["learningRates"]):
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        after = each_step(step)
        loss = F.cross_entropy(network(images[step % BATCHES]), labels[step % BATCHES])
        loss.backward()
        if after:
            after()
        found["losses"].append(loss.item())
        if step == 0:
            found |= {f"gradient.{name}": p.grad.clone() for name, p in network.named_parameters()}
        optimiser.step()
    found["losses"] = torch.tensor(found["losses"], dtype=torch.float64)
    return found


def along(model, weights, images, labels, branches):
    """In float64 along the branches of each step: what was found, and what branches it would have taken itself."""
    activations = Following()
    network = build(model, activations, weights)

    def each_step(step):
        activations.given = iter(branches(step))

        def after():
            if next(activations.given, None) is not None:
                raise SystemExit(f"step {step} was given more branches than it has")

        return after

    found = train(model, network, images, labels, each_step)
    return found, {"total": activations.total, "others": activations.others, "farthest": activations.farthest}


def distances(got, wanted):
    """Parts of the length of a parameter's gradient, for the parameter where that is largest, and of the first loss."""
    gradients = [name for name in wanted if name.startswith("gradient.")]
    return {
        "gradients": max(((got[n] - wanted[n]).norm() / wanted[n].norm()).item() for n in gradients),
        "losses": ((got["losses"] - wanted["losses"]).abs().max() / wanted["losses"][0]).item(),
    }


def part_of_range(got, wanted):
    return ((got.view_as(wanted) - wanted).abs().max() / (wanted.max() - wanted.min())).item()


def results(model, weights, images, labels, found, branches, free):
    """Of a training in float32: its distances along its own branches, and from `free`, which took float64's."""
    exact, taken = along(model, weights, images, labels, branches)
    return distances(found, exact) | {"branches": taken, "free": distances(found, free)}


def make(model, folder, batch):
    torch.manual_seed(20181)
    activations = Recording()
    network = build(model, activations)
    randomise(network, model)
    images = torch.randn(BATCHES, batch, 3, 32, 32)
    labels = torch.randint(0, 10, (BATCHES, batch))
    weights = {name: value.clone() for name, value in network.state_dict().items()}
    save_file(weights, folder / "weights.safetensors")
    save_file(
        {"images": images.permute(0, 1, 3, 4, 2).contiguous(), "labels": labels.float()}, folder / "inputs.safetensors"
    )
    exact = build(model, Plain, weights)
    logits = eval_logits(exact, images.double())
    free = train(model, exact, images.double(), labels, lambda step: None)
    save_file(free | {"logits": logits}, folder / "free.safetensors")

    single = {"logits": part_of_range(eval_logits(network, images).double(), logits)}
    taken = []

    def each_step(step):
        activations.taken = []
        return lambda: taken.append(activations.taken)

    found = train(model, network, images, labels, each_step)
    single |= results(model, weights, images.double(), labels, found, lambda step: taken[step], free)
    return {"torch": f"PyTorch {torch.__version__}", "training": training_of(model), "single": single}


def judge(model, folder):
    weights, inputs = load_file(folder / "weights.safetensors"), load_file(folder / "inputs.safetensors")
    images, labels = inputs["images"].permute(0, 1, 4, 2, 3).double(), inputs["labels"].long()
    free = load_file(folder / "free.safetensors")
    ours = json.loads((folder / "ours.json").read_text())
    found = {name: value.double() for name, value in load_file(folder / "gradients.safetensors").items()}
    found["losses"] = torch.tensor(ours["losses"], dtype=torch.float64)

    def branches(step):
        return read_branches(folder / f"branches-{step}.bin", ours["branches"])

    judged = {"logits": part_of_range(torch.tensor(ours["logits"], dtype=torch.float64), free["logits"])}
    judged |= results(model, weights, images, labels, found, branches, free)

    network = build(model)
    missing, unexpected = network.load_state_dict(load_file(folder / "trained.safetensors"), strict=False)
    wrong = [name for name in missing if not name.endswith("num_batches_tracked")] + unexpected
    if wrong:
        raise SystemExit(f"names that do not fit: {wrong}")
    back = eval_logits(network.double(), images)
    return judged | {"back": part_of_range(torch.tensor(ours["trainedLogits"], dtype=torch.float64), back)}


def main(command, model, folder, batch=None):
    if command == "make":
        return make(model, Path(folder), int(batch))
    return judge(model, Path(folder))


print(json.dumps(main(*sys.argv[1:])))
