"""The HTTP surface: reads requests, calls Triage and the store, writes answers. Decides nothing itself."""
