"""mmx: read more text than a model's window holds, once, on your own machine; then ask."""

__version__ = "0.1.0"
