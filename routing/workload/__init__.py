"""What visiting places again and again takes: the driving of a month, estimated on the streets without a plan."""

from routing.workload.estimating import workload
from routing.workload.values import WEEKS_A_MONTH, Base, Load, MonthlyVisits, Workloads

__all__ = ["WEEKS_A_MONTH", "Base", "Load", "MonthlyVisits", "Workloads", "workload"]
