"""The families whose layers transformers' classes compute: what each needs so that it continues exactly."""
