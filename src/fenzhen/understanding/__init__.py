"""Understanding: what a message says. Models in, classifications out."""
