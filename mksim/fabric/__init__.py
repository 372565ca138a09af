"""What carries crossings: ownership of memory and cores, interrupt messages, and the ledger of them all."""
