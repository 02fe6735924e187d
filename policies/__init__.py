"""The policy pack: what every stack must keep; one module a family of rules, configured per stack in `<stack>.json`."""
