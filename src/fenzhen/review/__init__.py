"""What was decided and what people said about it afterwards: kept durably, personal data masked. Knows no HTTP."""
