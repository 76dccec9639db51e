"""Makes packages/core/src/datasets/fixtures/svhn-*.mat: files of SVHN's form as SciPy's savemat writes them.

Run from the repository root: python test/oracle/svhn_fixtures.py  (needs: numpy, scipy; see requirements.txt)

X is uint8 [32, 32, 3, 12] with X[row, column, channel, n] = (7 row + 13 column + 29 channel + 31 n) mod 256, y is [12, 1] with
1 to 10, then 10 and 1. svhn-compressed.mat has y as bytes, as the published files do; svhn-plain.mat has it as doubles and an
array besides that nobody wants.
"""

from pathlib import Path

import numpy as np
from scipy.io import savemat

OUT = Path(__file__).parents[2] / "packages/core/src/datasets/fixtures"
COUNT = 12

row, column, channel, n = np.ogrid[:32, :32, :3, :COUNT]
X = ((7 * row + 13 * column + 29 * channel + 31 * n) % 256).astype(np.uint8)
y = np.array([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 1]).reshape(COUNT, 1)

OUT.mkdir(exist_ok=True)
savemat(OUT / "svhn-compressed.mat", {"X": X, "y": y.astype(np.uint8)}, do_compression=True)
savemat(OUT / "svhn-plain.mat", {"note": "digits", "X": X, "y": y.astype(np.float64)})
