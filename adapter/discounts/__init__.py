"""discounts."""
