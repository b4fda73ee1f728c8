"""Images of environments: named by content, built by whatever engine is here, looked through, verified and removed."""
