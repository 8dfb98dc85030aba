"""The errors of access control, each a sentence for the person who meets it."""


class AccessError(Exception):
    """Base of every error of this package; `str(error)` is fit to be shown to a person."""


class NotFound(AccessError):
    """A person, project, dataset, rendition or agreement of that name is not there."""


class Invalid(AccessError):
    """Input that cannot be accepted: says what is wrong, where, and what to do instead."""


class NotPermitted(AccessError):
    """The person may not do this; says who could."""


class Refused(AccessError):
    """The enclave will not do this now, whoever asks: a missing key, an altered file, an unreadable policy."""
