"""What the registry stores. Importing this package maps every table of it."""

from registry.models.areas import Area, AreaClosure
from registry.models.households import Household, Membership
from registry.models.importing import ImportBatch, ImportNumber, ImportRow, batch_lifecycle
from registry.models.persons import IdentityNumber, Person, Phone

__all__ = [
    "Area",
    "AreaClosure",
    "Household",
    "IdentityNumber",
    "ImportBatch",
    "ImportNumber",
    "ImportRow",
    "Membership",
    "Person",
    "Phone",
    "batch_lifecycle",
]
