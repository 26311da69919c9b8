"""What payments store. Importing this package maps every table of it."""

from payments.models.accounts import PaymentAccount, account_lifecycle
from payments.models.answers import AnswerFile, AnswerLine
from payments.models.cycles import Cycle, CycleTotal, cycle_lifecycle
from payments.models.entitlements import CarryOver, Entitlement, Hold, NotPaid
from payments.models.instructions import Payment, PaymentBatch, PaymentEvent, PaymentState

__all__ = [
    "AnswerFile",
    "AnswerLine",
    "CarryOver",
    "Cycle",
    "CycleTotal",
    "Entitlement",
    "Hold",
    "NotPaid",
    "Payment",
    "PaymentAccount",
    "PaymentBatch",
    "PaymentEvent",
    "PaymentState",
    "account_lifecycle",
    "cycle_lifecycle",
]
