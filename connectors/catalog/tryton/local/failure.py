"""Why the local Tryton could not be made or started, in words for the person who ran it."""


class LocalTrytonError(Exception):
    """The local Tryton cannot be used; the message names the step, the cause and the way out."""
