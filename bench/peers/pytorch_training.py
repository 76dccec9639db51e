"""Steps of SGD with PyTorch, channels-last, for `nesgd bench`.

Usage: pytorch_training.py '{"model": "resnet20", "threads": 2, "batch": 128, "device": "cpu", "mode": "eager"}', where
the mode may be "compile", too. Speaks lines of JSON, as packages/core/src/bench/messages.ts has them: says {"ready"} when
it is, then answers each request.
"""

import json
import resource
import sys
import time

import torch
import torch.nn.functional as F
from networks import FULL, Plain


def peak_mb():
    """Peak resident memory: Linux' own high-water mark where there is one, else what getrusage says."""
    try:
        with open("/proc/self/status") as status:
            kb = next(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    except OSError:
        kb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return kb / 1024


def trainer(model, threads, batch, device, mode):
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    build, config = FULL[model]
    network = build(config, Plain).to(device, memory_format=torch.channels_last)
    x = torch.randn(batch, 3, 32, 32).to(device, memory_format=torch.channels_last)
    y = torch.randint(0, 10, (batch,), device=device)
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)
    forward = torch.compile(network) if mode == "compile" else network

    def step():
        optimiser.zero_grad()
        loss = F.cross_entropy(forward(x), y)
        loss.backward()
        optimiser.step()
        return loss.item()

    return step


def say(**answer):
    print(json.dumps(answer), flush=True)


def main(settings):
    step = trainer(**settings)
    if settings["mode"] == "compile":
        try:
            step()  # What cannot be compiled fails before it is counted on.
        except Exception as error:
            # The first line says why, the last one how to report it.
            raise SystemExit(next(line for line in f"{error}\n{type(error).__name__}".split("\n") if line.strip()))
    say(ready=f"PyTorch {torch.__version__} ({settings['device']})")
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "memory":
            say(peakMb=peak_mb())
            continue
        start = time.perf_counter()
        for _ in range(request["steps"]):
            step()
        say(seconds=time.perf_counter() - start)


main(json.loads(sys.argv[1]))
