"""The shared resources that each deployment hands to every location."""
