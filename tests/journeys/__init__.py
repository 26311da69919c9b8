"""Few and whole: the chain of delivery from a list to a reconciled payment and an answered grievance."""
