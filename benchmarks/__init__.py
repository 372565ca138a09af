"""What mksim costs, in numbers: `mksim bench [NAME...]`."""
