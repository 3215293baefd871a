"""FAQ knowledge: entries of shops, read from files people edit, and exact hybrid search over them. Decides no route."""
