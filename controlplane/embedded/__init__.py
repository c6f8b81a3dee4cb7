"""Clove on one machine: `./clove up` starts the control plane's processes, watches them, and stops them together. No Django here."""
