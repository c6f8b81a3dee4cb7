"""`python -m booking_templates serve | worker | migrate`: the command of every service image."""

import sys

from booking_templates.kit.serve import main

if len(sys.argv) != 2 or sys.argv[1] not in ("serve", "worker", "migrate"):
    sys.exit("usage: python -m booking_templates serve | worker | migrate   (CLOVE_SERVICE says which service)")
sys.exit(main(sys.argv[1]))
