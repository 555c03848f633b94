"""Trains the best configurations again on folds, to name a winner: who, how often, how long."""
