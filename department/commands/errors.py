"""The failures that a command expects; each says by itself what is wrong and what to do."""

from catalogue.prices import TableError
from operations.costs.retail import PricesUnavailableError
from operations.resourcemanager import AzureRefusedError
from settings import SettingsError
from settings.convert import ConversionError

EXPECTED = (AzureRefusedError, ConversionError, PricesUnavailableError, SettingsError, TableError)
