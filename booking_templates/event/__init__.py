"""Event information: what it is, where, when, notices and the poster. The seller edits it live; buyers read it."""
