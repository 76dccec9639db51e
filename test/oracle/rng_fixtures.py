"""Makes packages/core/src/evolution/fixtures/rng.json: draws of rngAt, from Python's integers and the mmh3 package.

Run from the repository root: python test/oracle/rng_fixtures.py  (needs: mmh3; see requirements.txt)
"""

import json
import math
import struct
from pathlib import Path

import mmh3

OUT = Path(__file__).parents[2] / "packages/core/src/evolution/fixtures/rng.json"
PATHS = [[0], [1, "generation", 3], [1, "generation", "3"], [2**53 - 1, "weights", "größe", 0.5], [7, "0110" * 16]]
DRAWS = 20
MASK = 2**64 - 1


class Xoroshiro128Plus:
    """D. Blackman and S. Vigna, 2016 version (24, 16, 37); of each 64-bit sum the low 32 bits are drawn."""

    def __init__(self, path: list) -> None:
        label = json.dumps(path, separators=(",", ":"), ensure_ascii=False).encode()
        s0_high, s0_low, s1_high, s1_low = struct.unpack("<4I", mmh3.hash_bytes(label, 0, x64arch=False))
        self.s0 = s0_high << 32 | s0_low
        self.s1 = s1_high << 32 | s1_low

    def uint32(self) -> int:
        out = (self.s0 + self.s1) & 0xFFFFFFFF
        s1 = self.s0 ^ self.s1
        self.s0 = self.rotl(self.s0, 24) ^ s1 ^ (s1 << 16 & MASK)
        self.s1 = self.rotl(s1, 37)
        return out

    @staticmethod
    def rotl(x: int, bits: int) -> int:
        return (x << bits | x >> (64 - bits)) & MASK

    def uniform(self) -> float:
        return ((self.uint32() >> 5) * 2**26 + (self.uint32() >> 6)) / 2**53

    def normal_pair(self) -> tuple[float, float]:
        while True:
            u, v = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            s = u * u + v * v
            if 0 < s < 1:
                scale = math.sqrt(-2 * math.log(s) / s)
                return u * scale, v * scale


def main() -> None:
    streams = []
    for path in PATHS:
        words, uniforms, normals = (Xoroshiro128Plus(path) for _ in range(3))
        streams.append({
            "path": path,
            "uint32": [words.uint32() for _ in range(DRAWS)],
            "uniform": [uniforms.uniform() for _ in range(DRAWS)],
            "normal": [x for _ in range(DRAWS // 2) for x in normals.normal_pair()],
        })
    OUT.write_text(json.dumps(streams, ensure_ascii=False, indent=1) + "\n")


main()
