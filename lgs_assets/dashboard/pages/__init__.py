"""What is on each page, one module a page: from its view to what its template shows. Knows no HTTP."""
