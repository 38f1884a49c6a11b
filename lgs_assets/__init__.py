"""The customer-analytics platform of a retailer: from invoice dumps to segments and charts."""
