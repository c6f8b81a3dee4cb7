"""Files made from rows: CSV and XLSX lists, PDF tickets, calendar entries. Written by hand: each format's small part that is needed."""
