"""How price sensitivity depends on the weeks in a block within which levels are constant.

    python -m benchmarks.block_length

The Complete Journey, weeks 1-40 and the 4,000 products bought most in them; nothing later is read.
Printed are one slope for all, and the ninth decile of the posterior means of products.
"""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from bundlewise.models import price_response
from bundlewise.models.panel import weekly_panel
from bundlewise.models.sensitivity import fit_sensitivity

from .held_out import JOURNEY_WINDOWS, journey_data

LENGTHS = (3, 4, 8, 13, 40)


def main() -> None:
    """Print a line a length."""
    window = JOURNEY_WINDOWS["test"]  # of which only the weeks learned on are looked at
    data = journey_data(window)
    panel = weekly_panel(data.for_demand, *window[:2])
    base, features = panel.usual_price(), data.features
    for weeks in LENGTHS:
        with patch.object(price_response, "BLOCK_WEEKS", weeks):
            found = fit_sensitivity(panel, base, features.category, features.n_categories)
        slope, decile = found.fit["pooled_slope"], float(np.quantile(found.mean, 0.9))
        print(f"{weeks:3} weeks in a block: pooled slope {slope:.2f}, ninth decile {decile:.2f}")


if __name__ == "__main__":
    main()
