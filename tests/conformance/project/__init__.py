"""The application under test: a small Django project whose namespaces offer every feature of `sio`."""
