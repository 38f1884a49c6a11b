"""What is on each page: a module a page, from its view to what its template shows, and some of figures. No HTTP."""
