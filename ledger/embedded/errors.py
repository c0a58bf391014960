"""What can go wrong with an embedded server, said to whoever has to mend it."""


class EmbeddedError(Exception):
    """The embedded PostgreSQL cannot do what was asked; the message says what to do about it."""
