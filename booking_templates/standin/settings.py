"""Settings that the stand-in adds."""

from booking_templates.kit import env

_ENV = env.load()
DATABASES = {"default": env.database_settings(_ENV.database_url, _ENV.root)}
_options = DATABASES["default"].get("OPTIONS")
if isinstance(_options, dict):
    # Nobody's money: what it acknowledged outlives the process, and need not outlive the machine.
    _options["init_command"] = str(_options.get("init_command", "")).replace("synchronous=FULL", "synchronous=NORMAL")
