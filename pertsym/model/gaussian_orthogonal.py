"""The scale of Gaussian orthogonal matrices H_B and B, exactly; everything else follows from it.

With N states, off-diagonal elements have the standard deviation DEVIATION/sqrt N, diagonal ones
are sqrt 2 larger.  The mean resolvent obeys g = 1/(z - v g), v = VARIANCE: a semicircle of radius
2 sqrt v, whatever N.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final

DEVIATION: Final = Fraction(1, 4)
"""Standard deviation of an off-diagonal element times sqrt N."""
VARIANCE: Final = DEVIATION**2
"""v = N F, the sum of |<eps|B|eps'>|^2 over all states."""
RADIUS: Final = 2 * DEVIATION
"""The band of H_B is [-RADIUS, RADIUS] in the energy unit of the model."""
