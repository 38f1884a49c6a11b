update dumps set facts = facts || '{"numbers": "decimal point, in €"}'
