"""What a pull request changes in the monthly cost of a stack."""
