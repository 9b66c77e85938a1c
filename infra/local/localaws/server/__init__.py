"""The process and its HTTP: how it is started and stopped, and where each request goes.

`lifecycle` and `environment` start the process, `ports` says who has its port, `application` is
what it serves, `control` the part of that which AWS does not have, `wire` stands between ASGI and
our types. What a request means belongs to the services; which of them there are, `localaws.daemon`
says.
"""
