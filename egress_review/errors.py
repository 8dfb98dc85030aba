"""The errors of egress review, each a sentence for the person who meets it."""


class EgressError(Exception):
    """Base of every error of this package; `str(error)` is fit to be shown to a person."""


class NotFound(EgressError):
    """No such request, file, comment, release or link (or not one that this person may know of)."""


class Invalid(EgressError):
    """Input that cannot be accepted: says what is wrong, where, and what to do instead."""


class NotPermitted(EgressError):
    """The person may not do this; says who could."""


class WrongState(EgressError):
    """Not possible in the state that the request is in; says which state and what would have to come first."""


class Refused(EgressError):
    """The enclave will not do this now, whoever asks: a damaged file, a bad signature, a withdrawn agreement."""
