"""Text: one normaliser for training and serving, evasive spellings, personal data, word segmentation."""
