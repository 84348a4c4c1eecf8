"""Draw scenes with exact masks, and make expressions that are true of exactly one object in them."""
