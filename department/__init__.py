"""One department: its settings become components, and their outputs the contract.

`python -m department` checks and converts stack files, and answers what a department costs and may use.
"""
