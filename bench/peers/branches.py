"""ReLU and max pooling that keep, or follow, the branch taken at each kink: which values a ReLU let pass, which one of a
window was the largest. Within rounding of a kink float32 takes either, and gradients differ by more than rounding; along
given branches a network is smooth, so float64 along the branches of a float32 training shows what its rounding did alone.
"""

import numpy as np
import torch
import torch.nn.functional as F


class Recording:
    """Plain ReLU and max pooling; `taken` has the branches of what was called since it was emptied, in order."""

    def __init__(self):
        self.taken = []

    def relu(self, x):
        y = F.relu(x)
        self.taken.append(y.detach() > 0)
        return y

    def max_pool(self, x, kernel, stride, padding):
        y, indices = F.max_pool2d(x, kernel, stride, padding, return_indices=True)
        self.taken.append(indices)
        return y


class Following:
    """Takes the branches that it is given, and keeps where it would have taken others."""

    def __init__(self):
        self.given = iter(())
        #: How many branches there were, how many were not its own, and the farthest of those from its kink, as a part of
        #: the largest value that came in with it.
        self.total, self.others, self.farthest = 0, 0, 0.0

    def relu(self, x):
        passes = self._next(x)
        self._saw(x.detach(), (x > 0) != passes, x.detach().abs())
        return x * passes

    def max_pool(self, x, kernel, stride, padding):
        largest = F.max_pool2d(x.detach(), kernel, stride, padding)
        indices = self._next(largest)
        y = x.flatten(2).gather(2, indices.flatten(2)).view_as(largest)
        self._saw(x.detach(), y.detach() < largest, largest - y.detach())
        return y

    def _next(self, like):
        given = next(self.given)
        if callable(given):
            given = given(like.shape)
        if given.shape != like.shape:
            raise SystemExit(f"branches of {tuple(given.shape)} were given where there are {tuple(like.shape)}")
        return given

    def _saw(self, x, other, distance):
        self.total += other.numel()
        self.others += int(other.sum())
        if other.any():
            self.farthest = max(self.farthest, (distance[other].max() / x.abs().max()).item())


def read_branches(file, kinds):
    """
    Of one step, as bench/parity.mjs writes them: channels-last; a ReLU's as bits, a pool's as int32 positions in the plane.
    Shapes come from who reads them, so this gives functions of the shape.
    """
    data, at = file.read_bytes(), 0

    def take(kind, shape):
        nonlocal at
        n, c, h, w = shape
        count = n * c * h * w
        size = 4 * count if kind == "pool" else (count + 7) // 8
        part, at = data[at : at + size], at + size
        if kind == "pool":
            values = np.frombuffer(part, "<i4").astype(np.int64)
        else:
            values = np.unpackbits(np.frombuffer(part, np.uint8), count=count).astype(bool)
        return torch.from_numpy(values.reshape(n, h, w, c)).permute(0, 3, 1, 2)

    for kind in kinds:
        yield lambda shape, kind=kind: take(kind, shape)
    if at != len(data):
        raise SystemExit(f"{file.name} has {len(data)} bytes, of which {at} were read")
