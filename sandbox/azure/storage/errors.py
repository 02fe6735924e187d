"""Storage's refusals: codes, statuses and texts.

Sources: learn.microsoft.com/rest/api/storageservices/blob-service-error-codes and
.../datalakestoragegen2/path/create (table of errors).
"""

from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

from sandbox.azure import clock
from sandbox.azure.front.errors import ServiceError

ERRORS: dict[str, tuple[int, str]] = {
    "AppendPositionConditionNotMet": (412, "The append position condition specified was not met."),
    "AuthenticationFailed": (
        403,
        "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly "
        "including the signature.",
    ),
    "AuthorizationFailure": (403, "This request is not authorized to perform this operation."),
    "AuthorizationPermissionMismatch": (
        403,
        "This request is not authorized to perform this operation using this permission.",
    ),
    "AuthorizationProtocolMismatch": (
        403,
        "This request is not authorized to perform this operation using this protocol.",
    ),
    "AuthorizationResourceTypeMismatch": (
        403,
        "This request is not authorized to perform this operation using this resource type.",
    ),
    "AuthorizationServiceMismatch": (
        403,
        "This request is not authorized to perform this operation using this service.",
    ),
    "AuthorizationSourceIPMismatch": (
        403,
        "This request is not authorized to perform this operation using this source IP.",
    ),
    "BlobAlreadyExists": (409, "The specified blob already exists."),
    "BlobNotFound": (404, "The specified blob does not exist."),
    "BlockCountExceedsLimit": (409, "The committed block count cannot exceed the maximum limit of 50,000 blocks."),
    "BlockListTooLong": (400, "The block list may not contain more than 50,000 blocks."),
    "CannotVerifyCopySource": (404, "The specified copy source could not be read."),
    "ConditionNotMet": (412, "The condition specified using HTTP conditional header(s) is not met."),
    "ContainerAlreadyExists": (409, "The specified container already exists."),
    "ContainerNotFound": (404, "The specified container does not exist."),
    "ContentLengthMustBeZero": (400, "The Content-Length request header must be zero."),
    "DirectoryIsNotEmpty": (409, "This operation is not permitted on a non-empty directory."),
    "DirectoryNotEmpty": (409, "The recursive query parameter value must be true to delete a non-empty directory."),
    "EmptyMetadataKey": (400, "The key for one of the metadata key-value pairs is empty."),
    "FilesystemAlreadyExists": (409, "The specified filesystem already exists."),
    "FilesystemNotFound": (404, "The specified filesystem does not exist."),
    "HierarchicalNamespaceNotEnabled": (400, "Hierarchical namespace is not enabled for this account."),
    "InsufficientDiskSpace": (409, "The sandbox's disk is full: free space in its folder and try again."),
    "InternalError": (500, "The server encountered an internal error. The sandbox's log has the cause."),
    "InvalidAuthenticationInfo": (401, "Server failed to authenticate the request."),
    "InvalidBlobOrBlock": (400, "The specified blob or block content is invalid."),
    "InvalidBlobType": (409, "The blob type is invalid for this operation."),
    "InvalidBlockList": (400, "The specified block list is invalid."),
    "InvalidFlushOperation": (
        409,
        "The resource was created or modified by the Blob Service API and cannot be written to by the Data Lake "
        "Storage Service API.",
    ),
    "InvalidFlushPosition": (
        400,
        "The uploaded data is not contiguous or the position query parameter value is not equal to the length of the "
        "file after appending the uploaded data.",
    ),
    "InvalidHeaderValue": (400, "The value for one of the HTTP headers is not in the correct format."),
    "InvalidInput": (400, "One of the request inputs is not valid."),
    "InvalidMd5": (
        400,
        "The MD5 value specified in the request is invalid. MD5 value must be 128 bits and base64-encoded.",
    ),
    "InvalidMetadata": (400, "The metadata specified is invalid. It has characters that are not permitted."),
    "InvalidPropertyName": (400, "The property name contains invalid characters."),
    "InvalidQueryParameterValue": (
        400,
        "Value for one of the query parameters specified in the request URI is invalid.",
    ),
    "InvalidRange": (416, "The range specified is invalid for the current size of the resource."),
    "InvalidRenameSourcePath": (
        409,
        "The source directory cannot be the same as the destination directory, nor can the destination be a "
        "subdirectory of the source directory.",
    ),
    "InvalidResourceName": (400, "The specified resource name contains invalid characters."),
    "InvalidSourceOrDestinationResourceType": (409, "The source and destination resource type must be identical."),
    "InvalidSourceUri": (400, "The source URI is invalid."),
    "InvalidUri": (400, "The requested URI does not represent any resource on the server."),
    "InvalidXmlDocument": (400, "XML specified is not syntactically valid."),
    "KeyBasedAuthenticationNotPermitted": (403, "Key based authentication is not permitted on this storage account."),
    "MaxBlobSizeConditionNotMet": (412, "The max blob size condition specified was not met."),
    "Md5Mismatch": (
        400,
        "The MD5 value specified in the request did not match with the MD5 value calculated by the server.",
    ),
    "MetadataTooLarge": (400, "The metadata specified exceeds the maximum permissible limit (8KB)."),
    "MissingContentLengthHeader": (411, "The Content-Length header was not specified."),
    "MissingRequiredHeader": (400, "An HTTP header that's mandatory for this request is not specified."),
    "MissingRequiredQueryParameter": (
        400,
        "A query parameter that's mandatory for this request is not specified.",
    ),
    "NoAuthenticationInformation": (
        401,
        "Server failed to authenticate the request. Please refer to the information in the www-authenticate header.",
    ),
    "NotImplemented": (501, "The sandbox does not emulate this operation."),
    "OutOfRangeInput": (400, "One of the request inputs is out of range."),
    "OutOfRangeQueryParameterValue": (
        400,
        "One of the query parameters specified in the request URI is outside the permissible range.",
    ),
    "PathAlreadyExists": (409, "The specified path already exists."),
    "PathConflict": (
        409,
        "The specified path, or an element of the path, exists and its resource type is invalid for this operation.",
    ),
    "PathNotFound": (404, "The specified path does not exist."),
    "PublicAccessNotPermitted": (409, "Public access is not permitted on this storage account."),
    "RenameDestinationParentPathNotFound": (404, "The parent directory of the destination path does not exist."),
    "RequestBodyTooLarge": (413, "The request body is too large and exceeds the maximum permissible limit."),
    "ResourceNotFound": (404, "The specified resource does not exist."),
    "ResourceTypeMismatch": (409, "The specified resource type does not match the type of the existing resource."),
    "SourceConditionNotMet": (412, "The source condition specified using HTTP conditional header(s) is not met."),
    "SourcePathNotFound": (404, "The source path for a rename operation does not exist."),
    "UnsupportedHttpVerb": (405, "The resource doesn't support specified Http Verb."),
}

AS_DATA_LAKE = {
    "BlobAlreadyExists": "PathAlreadyExists",
    "BlobNotFound": "PathNotFound",
    "ContainerAlreadyExists": "FilesystemAlreadyExists",
    "ContainerNotFound": "FilesystemNotFound",
    "ResourceTypeMismatch": "PathConflict",
    "DirectoryIsNotEmpty": "DirectoryNotEmpty",
}
"""The same refusals as the Data Lake endpoint names them."""


class StorageError(ServiceError):
    """A refusal.

    Args:
        code: One of `ERRORS`.
        message: Another text than the table's.
        status: Another status than the table's (304 for an unmet condition of a read).
        details: Further elements of the body, such as `AuthenticationErrorDetail`.
        headers: Extra response headers.
    """

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        details: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        known_status, known_message = ERRORS[code]
        super().__init__(status or known_status, code, message or known_message, headers=headers)
        self.details = dict(details or {})

    def as_data_lake(self) -> "StorageError":
        """The same refusal in the Data Lake endpoint's words."""
        code = AS_DATA_LAKE.get(self.code)
        return self if code is None else StorageError(code, status=self.status, headers=self.headers)

    def xml(self, request_id: str) -> str:
        """The body as the Blob endpoint sends it."""
        details = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in self.details.items())
        return (
            f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{self.code}</Code>'
            f"<Message>{escape(self._text(request_id))}</Message>{details}</Error>"
        )

    def json(self, request_id: str) -> dict[str, Any]:
        """The body as the Data Lake endpoint sends it."""
        detail = {"detail": self.details} if self.details else {}
        return {"error": {"code": self.code, "message": self._text(request_id), **detail}}

    def _text(self, request_id: str) -> str:
        now = f"{clock.now():%Y-%m-%dT%H:%M:%S}.0000000Z"
        return f"{self.message}\nRequestId:{request_id}\nTime:{now}"
