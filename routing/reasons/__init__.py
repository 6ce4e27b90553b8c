"""Why a plan is as it is: what every job adds, what keeps the others out, and the cheapest change that lets one in.

Asks `routing.timing` and the problem, never the solver.
"""

from routing.reasons.applying import applied as applied
from routing.reasons.blocking import Blocking as Blocking
from routing.reasons.blocking import blocking as blocking
from routing.reasons.case import Case as Case
from routing.reasons.case import Deadline as Deadline
from routing.reasons.case import LeftOut as LeftOut
from routing.reasons.marginals import Marginal as Marginal
from routing.reasons.marginals import marginals as marginals
from routing.reasons.repairs import Repair as Repair
from routing.reasons.repairs import RepairKind as RepairKind
from routing.reasons.repairs import Repairs as Repairs
from routing.reasons.rules import Rule as Rule
from routing.reasons.standing import Elsewhere as Elsewhere
from routing.reasons.standing import Standing as Standing
