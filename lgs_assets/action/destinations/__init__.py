"""Where lists go: one small protocol, and a module for each destination.

Every operation is a set operation: to add a member who is there, or to remove one who is not, changes nothing. So what
may have arrived can be sent again. Delivery is at least once. A destination is told of membership and properties alone,
never of a subscription: consent is the business of the tool.
"""
