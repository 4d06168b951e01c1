"""The laboratory: cores, processes and their clocks, a raw HTTP client, figures."""
