"""Sets a machine up: system packages, Docker Engine, the proxy, the images. What is done already is skipped."""
