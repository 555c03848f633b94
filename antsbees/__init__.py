"""What one trial does: data, backbones, training, prediction. Knows no Ray, no Optuna."""

__version__ = "0.1.0"
