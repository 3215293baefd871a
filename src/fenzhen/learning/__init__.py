"""Learning: example readers, training, evaluation. Imported by the command line only; serving never imports it."""
