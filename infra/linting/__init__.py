"""Other people's rules for the templates, and why some of them do not hold here.

`python -m infra.linting` runs checkov, parliament and cloudsplaining. What stays is in
`exceptions.yaml`, with its reason; what is found beside it, or no more, fails.
"""
