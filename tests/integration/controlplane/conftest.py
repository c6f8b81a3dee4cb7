from tests.controlplane import *  # noqa: F403  (fixtures)
