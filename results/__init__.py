"""What came out of a sweep: rows, their order, the winner. Knows no torch, no Ray, no Optuna."""
