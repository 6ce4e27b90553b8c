"""What a rep's phone has to know: the days, whom they are with, and why. `document` is its shape, `making` makes it."""

from planner.fieldwork.phone.document import PhoneDocument
from planner.fieldwork.phone.making import MOST_DAYS, phone_document, phone_scope
from planner.fieldwork.phone.reading import Asking

__all__ = ["MOST_DAYS", "Asking", "PhoneDocument", "phone_document", "phone_scope"]
