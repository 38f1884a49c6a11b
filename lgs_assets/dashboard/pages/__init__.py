"""What is on each page, one module a page. A page takes its view and returns what its template shows; it knows no HTTP."""
