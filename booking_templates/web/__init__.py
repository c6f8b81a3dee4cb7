"""The buyers' pages: server-rendered shells whose modules call `/api/…`. Stateless, without a database."""
