"""Those who only look: consoles, status line, summary. They cannot perturb the machine."""
