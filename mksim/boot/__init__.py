"""Image formats and what is handed to the firmware."""
