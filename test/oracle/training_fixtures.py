"""Makes packages/core/src/training/fixtures/*.safetensors with PyTorch, for the tests of engines and networks.

Everything is computed in float64 and rounded to float32 at the end, so that the tests' tolerances are about the
engines' own rounding alone. Images and activations are channels-last and conv kernels [kH, kW, cIn, cOut], as the
engines have them; the network's parameters keep PyTorch's names and layouts, as checkpoints do.

    python -m venv VENV && VENV/bin/pip install -r test/oracle/requirements.txt
    VENV/bin/python test/oracle/training_fixtures.py
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

sys.path.insert(0, str(Path(__file__).parents[2] / "bench/peers"))
from networks import NARROW, Kinks, Plain, draw_batch_norm  # noqa: E402

TRAINING = {"momentum": 0.9, "weightDecay": 5e-4, "learningRates": [0.05] * 10 + [0.01] * 10}
OUT = Path(__file__).parents[2] / "packages/core/src/training/fixtures"

# n, h, w, cIn, cOut, kH, kW, stride, padding
CONVOLUTIONS = [
    (2, 5, 4, 3, 8, 1, 1, 1, 0),
    (2, 6, 5, 8, 8, 3, 3, 1, 1),
    (2, 7, 7, 1, 4, 3, 3, 1, 1),
    (2, 4, 5, 5, 11, 3, 3, 1, 0),
    (2, 8, 8, 4, 8, 3, 3, 2, 1),
    (1, 7, 5, 5, 6, 3, 3, 2, 1),
    (2, 8, 6, 8, 4, 1, 1, 2, 0),
    (1, 9, 8, 4, 3, 3, 3, 2, 0),
    (1, 9, 9, 3, 4, 7, 7, 2, 3),
    (1, 6, 6, 4, 4, 5, 5, 1, 2),
    (1, 6, 7, 4, 4, 2, 3, 1, 1),
    (1, 6, 6, 4, 4, 3, 3, 2, 2),
    (1, 10, 7, 4, 4, 3, 3, 3, 1),
]
# n, h, w, cIn, cOut, kH, kW, stride, padding, groups
GROUPED = [
    (2, 6, 5, 8, 8, 3, 3, 1, 1, 4),
    (2, 7, 6, 8, 12, 3, 3, 2, 1, 2),
    (2, 8, 8, 12, 12, 3, 3, 2, 1, 4),
    (2, 5, 5, 32, 32, 3, 3, 1, 1, 32),
    (1, 5, 4, 6, 9, 1, 1, 1, 0, 3),
]
# n, h, w, c, kernel, stride, padding
POOLS = [(2, 6, 8, 3, 2, 2, 0), (2, 7, 5, 4, 2, 2, 0), (2, 8, 8, 5, 3, 2, 1), (1, 7, 6, 3, 3, 2, 1), (2, 5, 5, 2, 3, 1, 0)]
# n, h, w, c, relu
BATCH_NORMS = [(4, 3, 3, 8, False), (4, 3, 3, 8, True), (2, 5, 3, 5, True), (9, 5, 4, 4, True)]
EPSILON, MOMENTUM = 1e-5, 0.1
# From the nearest ReLU's kink: twenty times the rounding that float32 gathers in twenty steps.
SAFE_DISTANCE = 2e-5
SGD = {"momentum": 0.9, "weightDecay": 5e-4, "learningRates": [0.1, 0.1, 0.05, 0.01, 0.2]}


def nhwc(t):
    return t.permute(0, 2, 3, 1)


def hwio(t):
    return t.permute(2, 3, 1, 0)


def conv2d(tensors, name, n, h, w, c_in, c_out, k_h, k_w, stride, padding, groups=1):
    x = torch.randn(n, c_in, h, w, requires_grad=True)
    kernel = torch.randn(c_out, c_in // groups, k_h, k_w, requires_grad=True)
    y = F.conv2d(x, kernel, stride=stride, padding=padding, groups=groups)
    dy = torch.randn_like(y)
    dx, d_kernel = torch.autograd.grad(y, (x, kernel), dy)
    values = {"x": nhwc(x), "y": nhwc(y), "dy": nhwc(dy), "dx": nhwc(dx), "kernel": hwio(kernel), "dKernel": hwio(d_kernel)}
    tensors.update({f"{name}.{key}": value for key, value in values.items()})


def batch_norm(tensors, name, n, h, w, c, relu):
    # Means far from zero, so that a variance by the one-pass formula would show.
    x = (torch.randn(n, c, h, w) * 2 + 10 * torch.randn(1, c, 1, 1)).requires_grad_()
    norm = nn.BatchNorm2d(c, eps=EPSILON, momentum=MOMENTUM)
    with torch.no_grad():
        norm.weight.normal_()
        norm.bias.normal_()
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.5, 2)
    activation = F.relu if relu else (lambda t: t)
    values = {
        "x": nhwc(x),
        "scale": norm.weight,
        "offset": norm.bias,
        "runningMean": norm.running_mean.clone(),
        "runningVariance": norm.running_var.clone(),
        "inferY": nhwc(activation(norm.eval()(x))),
    }
    y = activation(norm.train()(x))
    dy = torch.randn_like(y)
    dx, d_scale, d_offset = torch.autograd.grad(y, (x, norm.weight, norm.bias), dy)
    values |= {"y": nhwc(y), "dy": nhwc(dy), "dx": nhwc(dx), "dScale": d_scale, "dOffset": d_offset}
    values |= {"newRunningMean": norm.running_mean, "newRunningVariance": norm.running_var}
    tensors.update({f"{name}.{key}": value for key, value in values.items()})


def pool(tensors, name, n, h, w, c, kernel, stride, padding):
    """Negative values too: a padding of zeros would win a window's maximum."""
    x = (torch.randn(n, c, h, w) - 1).requires_grad_()
    tensors[f"{name}.x"] = nhwc(x)
    for kind, function in [("max", F.max_pool2d), ("avg", F.avg_pool2d)]:
        y = function(x, kernel, stride, padding)
        dy = torch.randn_like(y)
        (dx,) = torch.autograd.grad(y, x, dy)
        values = {"y": nhwc(y), "dy": nhwc(dy), "dx": nhwc(dx)}
        tensors.update({f"{name}.{kind}.{key}": value for key, value in values.items()})


def channels(tensors):
    """Concatenation with its gradient, and a bias with ReLU and its gradient."""
    parts = [torch.randn(2, c, 3, 2, requires_grad=True) for c in (3, 1, 5)]
    y = F.relu(torch.cat(parts, 1))
    dy = torch.randn_like(y)
    gradients = torch.autograd.grad(y, parts, dy)
    tensors.update({"concat.y": nhwc(torch.cat(parts, 1)), "concat.relu": nhwc(y), "concat.dy": nhwc(dy)})
    for i, (part, gradient) in enumerate(zip(parts, gradients)):
        tensors |= {f"concat.part{i}": nhwc(part), f"concat.dPart{i}": nhwc(gradient)}

    x, bias = torch.randn(2, 5, 3, 4, requires_grad=True), torch.randn(5, requires_grad=True)
    y = F.relu(x + bias[:, None, None])
    dy = torch.randn_like(y)
    dx, d_bias = torch.autograd.grad(y, (x, bias), dy)
    values = {"x": nhwc(x), "bias": bias, "y": nhwc(y), "dy": nhwc(dy), "dx": nhwc(dx), "dBias": d_bias}
    tensors.update({f"bias.{key}": value for key, value in values.items()})


def others(tensors):
    x, weight, bias = (torch.randn(*s, requires_grad=True) for s in [(6, 7), (5, 7), (5,)])
    y = F.linear(x, weight, bias)
    dy = torch.randn_like(y)
    dx, d_weight, d_bias = torch.autograd.grad(y, (x, weight, bias), dy)
    values = {"x": x, "weight": weight, "bias": bias, "y": y, "dy": dy, "dx": dx, "dWeight": d_weight, "dBias": d_bias}
    tensors.update({f"linear.{key}": value for key, value in values.items()})

    # With a spread of 1000, a softmax that does not subtract the largest logit overflows even in float64.
    for name, spread in [("loss", 3), ("lossOfLargeLogits", 1000)]:
        logits = (torch.randn(8, 10) * spread).requires_grad_()
        labels = torch.randint(0, 10, (8,))
        loss = F.cross_entropy(logits, labels, reduction="none")
        (d_logits,) = torch.autograd.grad(loss.mean(), logits)
        values = {"logits": logits, "labels": labels.int(), "loss": loss, "dLogits": d_logits}
        tensors.update({f"{name}.{key}": value for key, value in values.items()})

    x = torch.randn(3, 5, 4, 3, requires_grad=True)
    y = F.adaptive_avg_pool2d(x, 1).flatten(1)
    dy = torch.randn_like(y)
    (dx,) = torch.autograd.grad(y, x, dy)
    tensors.update({"pool.x": nhwc(x), "pool.y": y, "pool.dy": dy, "pool.dx": nhwc(dx)})

    a, b = (torch.randn(2, 3, 3, 5, requires_grad=True) for _ in "ab")
    y = F.relu(a + b)
    dy = torch.randn_like(y)
    (dx,) = torch.autograd.grad(y, a, dy)
    tensors.update({"add.a": a, "add.b": b, "add.sum": a + b, "add.relu": y, "add.dy": dy, "add.dx": dx})

    weight = torch.randn(3, 3, 4, 5, requires_grad=True)
    tensors["sgd.weight"] = weight.clone()
    optimiser = torch.optim.SGD([weight], lr=0, momentum=SGD["momentum"], weight_decay=SGD["weightDecay"])
    for step, rate in enumerate(SGD["learningRates"], start=1):
        optimiser.param_groups[0]["lr"] = rate
        weight.grad = torch.randn_like(weight)
        optimiser.step()
        tensors[f"sgd.gradient{step}"] = weight.grad.clone()
        tensors[f"sgd.weight{step}"] = weight.clone()


def parameters(network):
    return {name: value.clone() for name, value in network.state_dict().items() if "num_batches" not in name}


def course(net, images, labels, config, kinks=None):
    """Eval logits, one backward pass, and twenty steps of SGD over the batches. None where a kink came near."""
    tensors = {"evalLogits": net.eval()(images[0])}
    if kinks:
        kinks.nearest = float("inf")  # No gradient was taken there.
    net.train()
    losses = []
    optimiser = torch.optim.SGD(net.parameters(), lr=0, momentum=config["momentum"], weight_decay=config["weightDecay"])
    for step, rate in enumerate(config["learningRates"]):
        batch = step % config["batches"]
        optimiser.param_groups[0]["lr"] = rate
        optimiser.zero_grad()
        loss = F.cross_entropy(net(images[batch]), labels[batch], reduction="none")
        loss.mean().backward()
        if kinks and kinks.too_near:
            return None
        losses.append(loss.mean())
        if step == 0:
            tensors["loss"] = loss
            tensors |= {f"gradient.{name}": p.grad.clone() for name, p in net.named_parameters()}
        optimiser.step()
    tensors["losses"] = torch.stack(losses)
    tensors |= {f"trained.{name}": value for name, value in parameters(net).items()}
    nearest = kinks.nearest if kinks else None
    tensors["trainedEvalLogits"] = net.eval()(images[0])
    return tensors, nearest


def deviations(got, wanted):
    """Parts of each tensor's largest value, the worst of each kind."""
    worst = {}
    for name, exact in wanted.items():
        kind = name.split(".")[0]
        distance = ((got[name] - exact).abs().max() / exact.abs().max()).item()
        worst[kind] = max(worst.get(kind, 0), distance)
    return worst


def network(build, config):
    """Of a narrow network, what PyTorch computes in float64, and how far from it PyTorch's float32 comes out."""
    kinks = Kinks(SAFE_DISTANCE)
    net = build(config, kinks)
    height, batches = config["size"], config["batches"]
    images = torch.randn(batches, config["batchSize"], config["channels"], height, config.get("width", height))
    labels = torch.randint(0, config["classes"], (batches, config["batchSize"]))
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                draw_batch_norm(module)
            elif isinstance(module, nn.Conv2d) and module.bias is not None:
                # Of a network without batch norm: with PyTorch's own weights hardly anything reaches the first layers.
                nn.init.kaiming_normal_(module.weight)
                module.bias.normal_(0, 0.1)
    # Of numbers that float32 has: whoever starts from the fixture starts from the same.
    net.float().double()
    images = images.float().double()
    initial = parameters(net)
    result = course(net, images, labels, config, kinks)
    if result is None:
        return None
    tensors, nearest = result
    single = build(config, Plain)
    single.load_state_dict(initial, strict=False)
    found, _ = course(single.float(), images.float(), labels, config)
    float32 = deviations(found, tensors)
    tensors |= {"images": images.permute(0, 1, 3, 4, 2), "labels": labels.int()}
    tensors |= {f"initial.{name}": value for name, value in initial.items()}
    return tensors, nearest, float32


def write(name, tensors, config):
    flat = {key: (t if t.dtype == torch.int32 else t.float()).detach().contiguous() for key, t in tensors.items()}
    file = OUT / f"{name}.safetensors"
    save_file(flat, file, metadata={"config": json.dumps(config)})
    file.chmod(0o644)


def main():
    torch.set_default_dtype(torch.float64)
    torch.manual_seed(20181)
    operations = {}
    conv_cases = []
    for case in CONVOLUTIONS:
        n, h, w, c_in, c_out, k_h, k_w, stride, padding = case
        name = f"conv2d {k_h}x{k_w} stride {stride} padding {padding} on {h}x{w}, {c_in} -> {c_out}"
        conv2d(operations, name, *case)
        conv_cases.append({"name": name, "stride": stride, "padding": padding})
    for case in GROUPED:
        n, h, w, c_in, c_out, k_h, k_w, stride, padding, groups = case
        name = f"conv2d {k_h}x{k_w} stride {stride} padding {padding} on {h}x{w}, {c_in} -> {c_out} in {groups} groups"
        conv2d(operations, name, *case)
        conv_cases.append({"name": name, "stride": stride, "padding": padding, "groups": groups})
    pool_cases = []
    for n, h, w, c, kernel, stride, padding in POOLS:
        name = f"pool {kernel}x{kernel} stride {stride} padding {padding} on {h}x{w}"
        pool(operations, name, n, h, w, c, kernel, stride, padding)
        pool_cases.append({"name": name, "kernel": kernel, "stride": stride, "padding": padding})
    channels(operations)
    norm_cases = []
    for n, h, w, c, relu in BATCH_NORMS:
        name = f"batchNorm {'with' if relu else 'without'} ReLU on {n}x{h}x{w}x{c}"
        batch_norm(operations, name, n, h, w, c, relu)
        norm_cases.append({"name": name, "relu": relu, "epsilon": EPSILON, "momentum": MOMENTUM})
    others(operations)
    write("operations", operations, {"convolutions": conv_cases, "pools": pool_cases, "batchNorms": norm_cases, "sgd": SGD})

    for name, (build, narrow) in NARROW.items():
        seed, result = 0, None
        while result is None:
            seed += 1
            torch.manual_seed(seed)
            result = network(build, narrow | TRAINING)
        tensors, nearest, float32 = result
        print(f"narrow-{name}: seed {seed}, {nearest:.1e} from the nearest kink; float32: {float32}")
        write(f"narrow-{name}", tensors, narrow | TRAINING | {"float32": float32})


main()
