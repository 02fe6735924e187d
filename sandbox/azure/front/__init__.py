"""The HTTP front door that all services of the local Azure share.

`gateway` accepts connections and picks the service by host. A service is a `service.Service`: it gets a
`request.Request`, finds the operation in a `routing.Routes`, and answers or refuses with an `errors.ServiceError`.
"""
