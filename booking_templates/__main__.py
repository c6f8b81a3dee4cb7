"""`python -m booking_templates serve | worker | migrate`: the command of every service image."""

import gc
import sys

# Nothing that is imported is garbage, and looking for some is a sixth of a start. `kit.serve` begins again.
gc.disable()

from booking_templates.kit.serve import main  # noqa: E402

if len(sys.argv) != 2 or sys.argv[1] not in ("serve", "worker", "migrate"):
    sys.exit("usage: python -m booking_templates serve | worker | migrate   (CLOVE_SERVICE says which service)")
sys.exit(main(sys.argv[1]))
