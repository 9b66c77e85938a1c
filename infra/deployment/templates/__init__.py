"""The templates in `infra/cloudformation`: reading them, choosing their parameters' values,
checking their `Rules`, and putting uploaded files in the place of local ones."""
