"""Wire formats: one folder each, pure translation between bytes and bodies."""
