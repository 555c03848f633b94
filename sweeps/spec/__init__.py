"""What a user writes: the models of a spec, and reading one."""
