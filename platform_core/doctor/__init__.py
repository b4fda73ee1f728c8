"""What is wrong with an installation, in sentences."""
