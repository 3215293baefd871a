"""Score whole files of chat logs with the same Triage that serves HTTP. Knows no cluster: one machine, one process."""
