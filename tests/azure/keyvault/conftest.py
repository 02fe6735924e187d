from tests.azure.storage.conftest import azure, new_name

__all__ = ["azure", "new_name"]
