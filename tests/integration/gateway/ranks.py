"""A rank test: could two samples of times come from the same distribution?"""

import math
from collections import Counter
from collections.abc import Sequence


def mann_whitney_p(first: Sequence[float], second: Sequence[float]) -> float:
    """
    Return the two-sided p-value of the Mann-Whitney U test, by the normal approximation with ties and continuity corrected.

    Good for samples of twenty and more. Source: Mann and Whitney, 1947; Lehmann, Nonparametrics, section 1.4.
    """
    everything = sorted([*first, *second])
    ranks: dict[float, float] = {}
    for value, count in Counter(everything).items():
        below = sum(1 for other in everything if other < value)
        ranks[value] = below + (count + 1) / 2
    size_1, size_2 = len(first), len(second)
    size = size_1 + size_2
    u = sum(ranks[value] for value in first) - size_1 * (size_1 + 1) / 2
    mean = size_1 * size_2 / 2
    ties = sum(count**3 - count for count in Counter(everything).values())
    variance = size_1 * size_2 / 12 * (size + 1 - ties / (size * (size - 1)))
    z = max(0.0, abs(u - mean) - 0.5) / math.sqrt(variance)
    return math.erfc(z / math.sqrt(2))
