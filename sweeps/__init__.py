"""Which trials, and where: the spec, the search, the lanes, the driver, the command line."""
