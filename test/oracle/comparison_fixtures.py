"""Makes apps/coordinator/src/compare/fixtures/statistics.json: SciPy's bootstrap intervals and sign-flip p values.

Run from the repository root: python test/oracle/comparison_fixtures.py  (needs: numpy, scipy; see requirements.txt)

Each case: values (accuracies of one method over seeds), others (of a second method, paired), and of
  values            mean, low, high: scipy.stats.bootstrap, percentile, 95 %, 200,000 resamples
  values - others   p: scipy.stats.permutation_test, samples, two-sided, exact
"""

import json
from pathlib import Path

import numpy as np
import scipy
from scipy.stats import bootstrap, permutation_test

OUT = Path(__file__).parents[2] / "apps/coordinator/src/compare/fixtures/statistics.json"
rng = np.random.default_rng(5)


def case(n: int, shift: float, digits: int) -> dict:
    values = np.round(0.9 + 0.01 * rng.standard_normal(n), digits)
    others = np.round(values - shift + 0.005 * rng.standard_normal(n), digits)
    interval = bootstrap(
        (values,), np.mean, method="percentile", n_resamples=200_000, batch=20_000, rng=np.random.default_rng(1)
    ).confidence_interval
    test = permutation_test(
        (values, others),
        lambda a, b, axis: np.mean(a - b, axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=np.inf,
        alternative="two-sided",
    )
    return {
        "values": values.tolist(),
        "others": others.tolist(),
        "mean": float(values.mean()),
        "low": float(interval.low),
        "high": float(interval.high),
        "p": float(test.pvalue),
    }


# Accuracies are counts over a number of images: few digits make ties.
cases = [case(n, shift, digits) for n in (2, 3, 5, 8, 12) for shift in (0.0, 0.004) for digits in (3, 6)]
OUT.parent.mkdir(exist_ok=True)
OUT.write_text(json.dumps({"scipy": scipy.__version__, "cases": cases}, indent=1) + "\n")
