"""What guards the validity of assets."""
