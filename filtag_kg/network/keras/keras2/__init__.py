"""Files of Keras 2: read as plain data, and rebuilt of Keras 3's layers with the same numbers."""

from filtag_kg.network.keras.keras2.keras2_file import keras2_version, read_keras2_file

__all__ = ["keras2_version", "read_keras2_file"]
