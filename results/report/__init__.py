"""The report of a sweep: numbers first, drawing second."""
