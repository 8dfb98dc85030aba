"""Sets a machine up: system packages, Docker Engine, the proxy, the images. Every step is skipped when it is done already."""
