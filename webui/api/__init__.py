"""The HTTP API under /api/v1: everything that the pages can do, a program can.

`operation` makes a function an operation, `document` writes the OpenAPI document from them, the other modules hold the
operations with their models. Both parts are our own, some three hundred lines over pydantic's models and JSON schemas:
spectree, flask-openapi3 and apiflask read a body that is no JSON, or of another media type, as an empty one, let a
member be named twice, and bring pages that load scripts from elsewhere.
"""

from webui.api.problems import problem_or
from webui.api.routes import register_api

__all__ = ["problem_or", "register_api"]
