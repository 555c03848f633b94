"""Where trials run: the driver, lanes and workers. The only folder that knows Ray."""
