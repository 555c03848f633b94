"""What is claimed about speed, each claim with the script that measures it."""
