"""What carries crossings: DRAM, ownership, the address map, interrupt messages, and the ledger of them all."""
