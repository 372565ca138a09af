"""The manual: registers, tables and addresses as data, every line cited. Imports nothing of mksim."""
