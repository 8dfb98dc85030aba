"""The tour: the enclave's main job, driven over its real interfaces by people at two browsers' place."""
