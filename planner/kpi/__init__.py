"""The tree of figures from lead to order, across inside sales and the field."""
