"""Every error that this package raises on purpose."""


class RoutingError(Exception):
    """Base of all errors of the routing package; the message is fit to show a person."""


class ExtractError(RoutingError):
    """An OpenStreetMap extract that is missing, unreadable, or holds no streets."""


class AreaError(RoutingError):
    """An area that does not exist, exists already, or whose files are damaged."""


class ProblemError(RoutingError):
    """A planning problem that contradicts itself; names the job or shift and the field."""


class InstanceError(RoutingError):
    """A file of a published problem, or of a problem of ours, that cannot be used; names file, line or record, and
    field."""


class PeerError(RoutingError):
    """Another solver that is asked for is not installed, or failed."""


class UnreachableError(RoutingError):
    """A path was asked for between two places that no street connects."""


class GeocodingError(RoutingError):
    """An online geocoder failed or is not set up."""


class OutgoingError(RoutingError):
    """A call to another host that is not allowed, or whose answer is not taken (see routing/outgoing.py)."""


class PointsError(RoutingError):
    """A points file with rows that cannot be used, or a matrix file that cannot be written; one problem a line."""
