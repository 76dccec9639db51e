"""The networks in PyTorch: written from the papers, with the parameter names of the public implementations that
packages/core/src/training/models follows. Full width for the benchmarks, narrow for test/oracle/training_fixtures.py.
"""

import torch
import torch.nn.functional as F
from torch import nn


class Kinks:
    """ReLU and max pooling, keeping how near to a kink they were used: there, rounding would decide between gradients."""

    def __init__(self, safe_distance):
        self.safe_distance = safe_distance
        self.nearest = float("inf")

    @property
    def too_near(self):
        return self.nearest < self.safe_distance

    def relu(self, x):
        self._saw(x.detach().abs())
        return F.relu(x)

    def max_pool(self, x, kernel, stride, padding):
        """Of a ReLU's outputs: where all of a window are zeros, it does not matter which gets the gradient."""
        windows = F.unfold(x.detach(), kernel, padding=padding, stride=stride)
        first, second = windows.unflatten(1, (x.shape[1], -1)).topk(2, dim=2).values.unbind(2)
        self._saw((first - second)[first > 0])
        return F.max_pool2d(x, kernel, stride, padding)

    def _saw(self, distances):
        """A distance of exactly 0 comes of a zero that a ReLU before has made, and no gradient passes that."""
        self.nearest = min(self.nearest, distances[distances > 0].min().item())


class Plain:
    """ReLU and max pooling as one would write them."""

    @staticmethod
    def relu(x):
        return F.relu(x, inplace=True)

    @staticmethod
    def max_pool(x, kernel, stride, padding):
        return F.max_pool2d(x, kernel, stride, padding)


def draw_batch_norm(norm):
    """As training leaves it: nothing is the 0 or 1 that it starts with."""
    norm.weight.uniform_(0.5, 1.5)
    norm.bias.normal_(0, 0.2)
    norm.running_mean.normal_(0, 0.2)
    norm.running_var.uniform_(0.5, 2)


class Block(nn.Module):
    """A basic block with the paper's shortcut B; its names are those of kuangliu/pytorch-cifar."""

    def __init__(self, c_in, c_out, stride, relu):
        super().__init__()
        self.relu = relu
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        return self.relu(self.bn2(self.conv2(y)) + self.shortcut(x))


class ResNet(nn.Module):
    def __init__(self, config, activations):
        super().__init__()
        widths, blocks = config["widths"], config["blocks"]
        self.relu = relu = activations.relu
        self.conv1 = nn.Conv2d(config["channels"], widths[0], 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(widths[0])
        c_in = widths[0]
        for s, (width, count) in enumerate(zip(widths, blocks)):
            layer = []
            for b in range(count):
                layer.append(Block(c_in, width, 2 if s > 0 and b == 0 else 1, relu))
                c_in = width
            setattr(self, f"layer{s + 1}", nn.Sequential(*layer))
        self.linear = nn.Linear(c_in, config["classes"])
        self.stages = len(widths)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


def pre_activated(c_in, c_out, kernel):
    return nn.BatchNorm2d(c_in), nn.Conv2d(c_in, c_out, kernel, padding=kernel // 2, bias=False)


class DenseLayer(nn.Module):
    def __init__(self, c_in, growth, bottleneck, newest_first, relu):
        super().__init__()
        self.relu, self.bottleneck, self.newest_first = relu, bottleneck, newest_first
        if bottleneck:
            self.bn1, self.conv1 = pre_activated(c_in, 4 * growth, 1)
            self.bn2, self.conv2 = pre_activated(4 * growth, growth, 3)
        else:
            self.bn1, self.conv1 = pre_activated(c_in, growth, 3)

    def forward(self, x):
        y = self.conv1(self.relu(self.bn1(x)))
        if self.bottleneck:
            y = self.conv2(self.relu(self.bn2(y)))
        return torch.cat([y, x] if self.newest_first else [x, y], 1)


class Transition(nn.Module):
    def __init__(self, c_in, c_out, names, relu):
        super().__init__()
        self.relu, self.names = relu, names
        for name, module in zip(names, pre_activated(c_in, c_out, 1)):
            setattr(self, name, module)

    def forward(self, x):
        norm, conv = (getattr(self, name) for name in self.names)
        return F.avg_pool2d(conv(self.relu(norm(x))), 2)


class DenseNet(nn.Module):
    """With names and order of channels of kuangliu/pytorch-cifar ("BC") or andreasveit/densenet-pytorch ("plain")."""

    def __init__(self, config, activations):
        super().__init__()
        self.relu = activations.relu
        growth, layers, bc = config["growth"], config["layers"], config["form"] == "BC"
        c = config["stem"]
        self.conv1 = nn.Conv2d(config["channels"], c, 3, padding=1, bias=False)
        self.order = []
        for s, count in enumerate(layers, start=1):
            block = []
            for _ in range(count):
                block.append(DenseLayer(c, growth, bc, bc, activations.relu))
                c += growth
            block = nn.Sequential(*block)
            self._append(f"dense{s}", block) if bc else self._append(f"block{s}", nn.ModuleDict({"layer": block}))
            if s < len(layers):
                c_out = c // 2 if bc else c
                self._append(f"trans{s}", Transition(c, c_out, ("bn", "conv") if bc else ("bn1", "conv1"), activations.relu))
                c = c_out
        self.last = ("bn", "linear") if bc else ("bn1", "fc")
        setattr(self, self.last[0], nn.BatchNorm2d(c))
        setattr(self, self.last[1], nn.Linear(c, config["classes"]))

    def _append(self, name, module):
        setattr(self, name, module)
        self.order.append(name)

    def forward(self, x):
        x = self.conv1(x)
        for name in self.order:
            module = getattr(self, name)
            x = (module["layer"] if isinstance(module, nn.ModuleDict) else module)(x)
        norm, linear = (getattr(self, name) for name in self.last)
        return linear(F.adaptive_avg_pool2d(self.relu(norm(x)), 1).flatten(1))


class DualPathBlock(nn.Module):
    def __init__(self, c_in, inner, residual, dense, groups, stride, first, relu):
        super().__init__()
        self.relu, self.residual = relu, residual
        self.conv1 = nn.Conv2d(c_in, inner, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(inner)
        self.conv2 = nn.Conv2d(inner, inner, 3, stride, 1, groups=groups, bias=False)
        self.bn2 = nn.BatchNorm2d(inner)
        self.conv3 = nn.Conv2d(inner, residual + dense, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(residual + dense)
        self.shortcut = nn.Sequential()
        if first:
            projection = nn.Conv2d(c_in, residual + dense, 1, stride, bias=False)
            self.shortcut = nn.Sequential(projection, nn.BatchNorm2d(residual + dense))

    def forward(self, x):
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.relu(self.bn2(self.conv2(y)))
        y = self.bn3(self.conv3(y))
        a, b = (t.tensor_split([self.residual], dim=1) for t in (self.shortcut(x), y))
        return self.relu(torch.cat([a[0] + b[0], a[1], b[1]], 1))


class DualPathNet(nn.Module):
    def __init__(self, config, activations):
        super().__init__()
        self.relu = activations.relu
        c = config["stem"]
        self.conv1 = nn.Conv2d(config["channels"], c, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(c)
        stages = list(zip(config["inner"], config["residual"], config["dense"], config["blocks"]))
        for s, (inner, residual, dense, count) in enumerate(stages):
            layer = []
            for b in range(count):
                stride = 2 if s > 0 and b == 0 else 1
                layer.append(DualPathBlock(c, inner, residual, dense, config["groups"], stride, b == 0, activations.relu))
                c = residual + (b + 2) * dense
            setattr(self, f"layer{s + 1}", nn.Sequential(*layer))
        self.linear = nn.Linear(c, config["classes"])
        self.stages = len(stages)

    def forward(self, x):
        x = self.relu(self.bn1(self.conv1(x)))
        for s in range(self.stages):
            x = getattr(self, f"layer{s + 1}")(x)
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


class NetworkInNetwork(nn.Module):
    """With a config's dropout, or none. Its modules are numbered as if ReLU, pooling and dropout were modules too."""

    def __init__(self, config, activations):
        super().__init__()
        self.activations = activations
        self.dropout = config.get("dropout", 0)
        self.classifier = nn.ModuleDict()
        self.blocks = []
        c, index = config["channels"], 0
        for kernel, widths in zip(config["kernels"], config["widths"]):
            block = []
            for i, width in enumerate(widths):
                k = kernel if i == 0 else 1
                self.classifier[str(index)] = nn.Conv2d(c, width, k, padding=k // 2)
                block.append(str(index))
                c, index = width, index + 2
            self.blocks.append(block)
            index += 2

    def forward(self, x):
        pools = [lambda t: self.activations.max_pool(t, 3, 2, 1), lambda t: F.avg_pool2d(t, 3, 2, 1), lambda t: t]
        for i, (block, pool) in enumerate(zip(self.blocks, pools)):
            for index in block:
                x = self.activations.relu(self.classifier[index](x))
            x = pool(x)
            if self.dropout > 0 and i + 1 < len(self.blocks):
                x = F.dropout(x, self.dropout, self.training)
        return x.mean((2, 3))


class FractalConv(nn.Module):
    def __init__(self, c_in, c_out, relu):
        super().__init__()
        self.relu = relu
        self.conv = nn.Conv2d(c_in, c_out, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(c_out)

    def forward(self, x):
        return self.relu(self.bn(self.conv(x)))


class Fractal(nn.Module):
    """f_1 = conv; f_c(x) = mean of f_(c-1)(f_(c-1)(x)) and conv(x), where a mean of means counts every column alike."""

    def __init__(self, c_in, width, columns, relu):
        super().__init__()
        self.depth = 2 ** (columns - 1)
        self.columns = nn.ModuleList()
        for c in range(columns):
            every = self.depth >> c
            column = nn.ModuleDict()
            for i in range(every, self.depth + 1, every):
                column[str(i - 1)] = FractalConv(c_in if i == every else width, width, relu)
            self.columns.append(column)

    def forward(self, x):
        heads = [x] * len(self.columns)
        for i in range(self.depth):
            ending = [c for c, column in enumerate(self.columns) if str(i) in column]
            outputs = [self.columns[c][str(i)](heads[c]) for c in ending]
            mean = torch.stack(outputs).mean(0) if len(outputs) > 1 else outputs[0]
            for c in ending:
                heads[c] = mean
        return heads[0]


class FractalNet(nn.Module):
    """Its modules are numbered as if pooling and flattening were modules too."""

    def __init__(self, config, activations):
        super().__init__()
        self.activations = activations
        self.layers = nn.ModuleDict()
        c = config["channels"]
        for b, width in enumerate(config["widths"]):
            self.layers[str(2 * b)] = Fractal(c, width, config["columns"], activations.relu)
            c = width
        self.linear = str(2 * len(config["widths"]) + 1)
        self.layers[self.linear] = nn.Linear(c, config["classes"])

    def forward(self, x):
        for name, module in self.layers.items():
            if name != self.linear:
                x = self.activations.max_pool(module(x), 2, 2, 0)
        return self.layers[self.linear](x.mean((2, 3)))


CIFAR = {"channels": 3, "classes": 10}


def _cifar_resnet(n):
    return ResNet, CIFAR | {"widths": [16, 32, 64], "blocks": [n] * 3}


FULL = {
    "resnet8": _cifar_resnet(1),
    "resnet14": _cifar_resnet(2),
    "resnet20": _cifar_resnet(3),
    "resnet32": _cifar_resnet(5),
    "resnet18": (ResNet, CIFAR | {"widths": [64, 128, 256, 512], "blocks": [2, 2, 2, 2]}),
    "resnet34": (ResNet, CIFAR | {"widths": [64, 128, 256, 512], "blocks": [3, 4, 6, 3]}),
    "densenet100": (DenseNet, CIFAR | {"form": "plain", "stem": 24, "growth": 12, "layers": [32, 32, 32]}),
    "densenet121": (DenseNet, CIFAR | {"form": "BC", "stem": 64, "growth": 32, "layers": [6, 12, 24, 16]}),
    "dpn92": (
        DualPathNet,
        CIFAR
        | {"stem": 64, "groups": 32, "inner": [96, 192, 384, 768], "residual": [256, 512, 1024, 2048]}
        | {"dense": [16, 32, 24, 128], "blocks": [3, 4, 20, 3]},
    ),
    "nin": (
        NetworkInNetwork,
        CIFAR | {"kernels": [5, 5, 3], "widths": [[192, 160, 96], [192, 192, 192], [192, 192, 10]], "dropout": 0.5},
    ),
    "fractalnet": (FractalNet, CIFAR | {"columns": 3, "widths": [64, 128, 256, 512, 512]}),
}

SMALL = {"channels": 3, "classes": 5, "size": 6, "batches": 2, "batchSize": 4}
# One channel, wider than high, both odd.
GREY = {"channels": 1, "size": 7, "width": 9}
NARROW = {
    "resnet": (
        ResNet,
        {"widths": [4, 8, 16], "blocks": [1, 1, 1], "channels": 3, "classes": 10, "size": 8, "batches": 4, "batchSize": 8},
    ),
    "densenet-bc": (DenseNet, SMALL | {"form": "BC", "stem": 5, "growth": 3, "layers": [2, 2]}),
    "densenet-plain": (DenseNet, SMALL | {"form": "plain", "stem": 5, "growth": 3, "layers": [2, 3]}),
    "dpn": (
        DualPathNet,
        SMALL | {"stem": 6, "groups": 4, "inner": [8, 12], "residual": [6, 10], "dense": [2, 3], "blocks": [2, 2]},
    ),
    "nin": (NetworkInNetwork, SMALL | {"kernels": [5, 5, 3], "widths": [[6, 5, 4], [6, 6, 6], [6, 6, 5]]}),
    "fractalnet": (FractalNet, SMALL | {"columns": 3, "widths": [4, 6]}),
    "resnet-grey": (ResNet, SMALL | GREY | {"widths": [4, 8, 12], "blocks": [1, 1, 1]}),
    "nin-grey": (NetworkInNetwork, SMALL | GREY | {"kernels": [5, 5, 3], "widths": [[6, 5, 4], [6, 6, 6], [6, 6, 5]]}),
}
