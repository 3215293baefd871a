"""Routing: who answers. Pure functions of a classification, a message and a policy."""
