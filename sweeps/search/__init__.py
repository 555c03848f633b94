"""What is tried next: the study, its space and samplers. Only this folder knows Optuna."""
