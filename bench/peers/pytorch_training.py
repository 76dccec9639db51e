"""Steps of SGD with PyTorch, eager and channels-last, for bench/training.mjs.

Usage: pytorch_training.py MODEL THREADS BATCH. Speaks lines of JSON: says {"description"} when ready, then answers each
number of steps on standard input with {"seconds"}.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F
from torch import nn

# widths and blocks of each stage, as in packages/core/src/training/models/resnet.ts
MODELS = {
    "resnet8": ([16, 32, 64], [1] * 3),
    "resnet14": ([16, 32, 64], [2] * 3),
    "resnet20": ([16, 32, 64], [3] * 3),
    "resnet32": ([16, 32, 64], [5] * 3),
    "resnet18": ([64, 128, 256, 512], [2] * 4),
}


class Block(nn.Module):
    def __init__(self, c_in, c_out, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(c_in, c_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(c_out)
        self.conv2 = nn.Conv2d(c_out, c_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(c_out)
        self.shortcut = nn.Sequential()
        if stride != 1 or c_in != c_out:
            self.shortcut = nn.Sequential(nn.Conv2d(c_in, c_out, 1, stride, bias=False), nn.BatchNorm2d(c_out))

    def forward(self, x):
        y = F.relu(self.bn1(self.conv1(x)), inplace=True)
        return F.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


def resnet(widths, blocks):
    c_in = widths[0]
    layers = [nn.Conv2d(3, c_in, 3, 1, 1, bias=False), nn.BatchNorm2d(c_in), nn.ReLU(inplace=True)]
    for s, (width, count) in enumerate(zip(widths, blocks)):
        for b in range(count):
            layers.append(Block(c_in, width, 2 if s > 0 and b == 0 else 1))
            c_in = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, 10))


def main(model, threads, batch):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    network = resnet(*MODELS[model]).to(memory_format=torch.channels_last)
    x = torch.randn(batch, 3, 32, 32).to(memory_format=torch.channels_last)
    y = torch.randint(0, 10, (batch,))
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def step():
        optimiser.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    print(json.dumps({"description": f"PyTorch {torch.__version__}"}), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line)):
            step()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
