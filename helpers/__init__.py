"""What the lessons share: data, models, training, figures, widgets, claims and exercises."""

import sys

if "IPython" in sys.modules:  # in a notebook; the commands start with the standard library alone
    from helpers import interrupts, order

    interrupts.watch()
    order.watch()
