"""The chips: one module, one chip, one datasheet. They see offsets and time, never each other."""
