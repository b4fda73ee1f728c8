"""Traces from run to step to store, as OpenTelemetry has them."""
