"""Every error that this package raises on purpose."""

from __future__ import annotations


class WebError(Exception):
    """Base of all errors of the webui package; the message is fit to show a person."""


class AssetError(WebError):
    """A static file that is missing: the browser's libraries were not installed, or a name is misspelt."""


class MapError(WebError):
    """A map that cannot be drawn: a value that is no place, or an element that is not safe to render."""


class PlanUnreadableError(WebError):
    """A stored plan that cannot be shown: not a plan of this format, or a value in it makes no sense."""


class SecondFactorNeededError(WebError):
    """Somebody who must have a second factor and has yet to set it up."""


class SignOnError(WebError):
    """Single sign-on that failed: the provider cannot be asked, or what came back is not to be believed."""


class SignOnBusyError(SignOnError):
    """Nothing is known of the provider yet, and somebody else is asking it just now."""
