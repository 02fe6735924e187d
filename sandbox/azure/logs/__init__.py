"""The logs' API: what services recorded in a Log Analytics workspace, read by queries.

`records` keeps rows, `query` answers the queries that are known, `app` is the service of api.loganalytics.io. The one
table so far is AppRequests, into which online deployments with `appInsightsEnabled` write their requests.
"""
