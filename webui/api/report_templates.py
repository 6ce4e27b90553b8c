"""What the field is asked after a visit: the report templates of a team."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field

from planner.access import Permission
from planner.fieldwork.templates import (
    FIELDS,
    MOST_CHOICES,
    MOST_LETTERS,
    MOST_TEMPLATES,
    TeamTemplates,
    TemplatesChangedError,
    TemplatesInvalidError,
    read_templates,
    save_templates,
)
from planner.repository import UnitOfWork
from webui.api.operation import Reply, Write, operation, store
from webui.api.problems import FieldError, Problem, invalid, pointer
from webui.api.records import area_named
from webui.api.values import Model, Text
from webui.policy import allow, viewer

Asked = Literal[
    "deal", "next_step", "next_step_on", "competitor", "concern", "severity", "reason", "text", "order_value"
]
AskedFields = Annotated[list[Asked], Field(max_length=len(FIELDS))]
Word = Annotated[str, Field(min_length=1, max_length=MOST_LETTERS)]
Words = Annotated[list[Word], Field(max_length=MOST_CHOICES)]


class Choices(Model):
    """Short lists to tap on; whatever else is typed is as good."""

    competitor: Words = Field(default_factory=list)
    concern: Words = Field(default_factory=list, examples=[["Price", "Timing"]])
    reason: Words = Field(default_factory=list)


class ReportTemplate(Model):
    """What is asked after a visit, besides how it went, which is always asked."""

    model_config = ConfigDict(serialize_by_alias=True)

    name: Annotated[Word, Field(examples=["First visit"])]
    fits: Annotated[
        Literal["opportunity", "account", "both"], Field(alias="for", description="After which visits it is offered.")
    ]
    disposition: Annotated[
        Literal["", "met", "not_in", "rescheduled", "refused"], Field(description="Chosen already; empty for none.")
    ] = ""
    fields: Annotated[AskedFields, Field(description="Asked, in this API's order whatever is sent.")] = Field(
        default_factory=list
    )
    required: Annotated[
        AskedFields, Field(description="Those without which nothing is sent, where the visit took place.")
    ] = Field(default_factory=list)
    choices: Choices = Field(default_factory=Choices)
    text: Annotated[Text, Field(description="What stands in the free text already.")] = ""


class ReportTemplateList(Model):
    """The templates in the order in which they are offered."""

    revision: Annotated[int, Field(description="Goes up with every change; 0 for the usual ones.")]
    templates: list[ReportTemplate]


class ReportTemplateChange(Model):
    """What the templates shall be, and the revision that this is a change of."""

    revision: Annotated[int, Field(ge=0, lt=2**31)]
    templates: Annotated[list[ReportTemplate], Field(min_length=1, max_length=MOST_TEMPLATES)]


@operation("GET", "/areas/<area>/report-templates", {200: ReportTemplateList}, tag="field")
@allow(Permission.REPORT)
def get_report_templates(area: str) -> Reply:
    """What the field is asked after a visit."""
    known = area_named(area).name
    with store().read(viewer().scope) as unit:
        return Reply(_shown(read_templates(unit, known)))


@operation("PUT", "/areas/<area>/report-templates", {200: ReportTemplateList}, tag="field")
@allow(Permission.PLAN)
def put_report_templates(area: str, body: ReportTemplateChange) -> Write:
    """Replace all report templates.

    Where somebody else has changed them meanwhile, the answer is 409 with theirs as `present`.
    """
    known, wanted = area_named(area).name, body.model_dump(by_alias=True)["templates"]

    def write(unit: UnitOfWork) -> Reply:
        try:
            return Reply(_shown(save_templates(unit, known, wanted, body.revision)))
        except TemplatesInvalidError as error:
            raise invalid(
                *(FieldError(_pointer(entry.template, entry.field), entry.message) for entry in error.errors)
            ) from error
        except TemplatesChangedError as error:
            present = _shown(error.present).model_dump(mode="json")
            raise Problem(409, "changed", str(error), members={"present": present}) from error

    return write


def _shown(team: TeamTemplates) -> ReportTemplateList:
    templates: list[Any] = [template.as_json() for template in team.templates]
    return ReportTemplateList(
        revision=team.revision, templates=[ReportTemplate.model_validate(entry) for entry in templates]
    )


def _pointer(template: int, field: str) -> str:
    """Where in the body something is wrong."""
    where: list[str | int] = [template - 1, *field.split(".")] if template and field else []
    return pointer("templates", *where)
