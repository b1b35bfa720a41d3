"""Servers that speak the published protocols of the services, on loopback, faults included."""
