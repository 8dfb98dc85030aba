"""The portal: pages and an API for researchers, stewards, admins and auditors. It holds no rule; services decide."""
