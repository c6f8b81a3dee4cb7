"""The requirement form: what was typed (`state`), what it means (`convert`), where a problem belongs (`fields`)."""
