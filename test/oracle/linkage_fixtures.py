"""Makes packages/core/src/evolution/fixtures/linkage.json: what SciPy's linkage gives for random pools of bit strings.

Run from the repository root: python test/oracle/linkage_fixtures.py  (needs: numpy, scipy; see requirements.txt)

The pools are those that evolution makes: few bits, many ties, duplicates, and populations drawn together. Every array is
base64 of its little-endian bytes, so that average linkage's heights are compared to the last bit. For each pool:
  n, bits   size of the pool and of a mask
  masks     uint8 [ceil(n * bits / 8)], all bits in a row, the first bit of a byte its highest
  <method>  for single, complete, average:
    merges  uint8 [n - 1, 3]: left, right, size
    heights float64 [n - 1] for average; uint8 [n - 1], the squared height, for single and complete (a whole number)
    cut     uint8 [n]: the cluster of each mask after the first n - ceil(n / 2) merges, numbered as first met
"""

import base64
import json
from pathlib import Path

import numpy as np
import scipy
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist

POOLS = 320
OUT = Path(__file__).parents[2] / "packages/core/src/evolution/fixtures/linkage.json"


def pack(array: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()


def random_pool(rng: np.random.Generator, index: int) -> np.ndarray:
    """[n, bits] of 0 and 1; sizes lean to the small, where the ties are."""
    n = int(2 + 58 * rng.random() ** 2.5) if index % 19 else 60
    bits = int(rng.integers(3, 65)) if index % 3 else int(rng.integers(3, 11))
    kind = index % 4
    if kind == 0:  # independent fair bits
        pool = rng.random((n, bits)) < 0.5
    elif kind == 1:  # nearly all blocks kept
        pool = rng.random((n, bits)) < 0.85
    elif kind == 2:  # duplicates: a few masks, each many times
        pool = (rng.random((max(2, n // 3), bits)) < 0.5)[rng.integers(0, max(2, n // 3), n)]
    else:  # offspring of a few parents, a bit in ten flipped
        parents = (rng.random((max(2, n // 5), bits)) < 0.5)[rng.integers(0, max(2, n // 5), n)]
        pool = parents ^ (rng.random((n, bits)) < 0.1)
    return pool.astype(np.uint8)


def first_merges(z: np.ndarray, n: int, count: int) -> np.ndarray:
    """Clusters after the first n - count rows of z. (SciPy's cut_tree reorders rows of equal height.)"""
    members = {i: [i] for i in range(n)}
    for k in range(n - count):
        members[n + k] = members.pop(int(z[k, 0])) + members.pop(int(z[k, 1]))
    labels = np.empty(n, np.uint8)
    for number, cluster in enumerate(sorted(members.values(), key=min)):
        labels[cluster] = number
    return labels


def main() -> None:
    rng = np.random.default_rng(20240501)
    pools = []
    for index in range(POOLS):
        pool = random_pool(rng, index)
        n, bits = pool.shape
        record = {"n": n, "bits": bits, "masks": pack(np.packbits(pool))}
        distances = pdist(pool.astype(np.float64), "euclidean")
        for method in ("single", "complete", "average"):
            z = linkage(distances, method)
            squared = np.rint(z[:, 2] ** 2).astype(np.uint8)
            if method != "average":
                assert np.array_equal(np.sqrt(squared.astype(np.float64)), z[:, 2])
            record[method] = {
                "merges": pack(z[:, [0, 1, 3]].astype(np.uint8)),
                "heights": pack(z[:, 2].astype("<f8") if method == "average" else squared),
                "cut": pack(first_merges(z, n, -(-n // 2))),
            }
        pools.append(record)
    lines = ",\n".join(json.dumps(record, separators=(",", ":")) for record in pools)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(f'{{"scipy":"{scipy.__version__}","pools":[\n{lines}\n]}}\n')
    print(f"{OUT.name}: {POOLS} pools, {OUT.stat().st_size} bytes")


main()
