"""Speed of the product, as a ratio to a peer in the same run."""
