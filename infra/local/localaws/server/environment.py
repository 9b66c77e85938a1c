"""The environment in which the server process runs ministack.

ministack reads its settings from environment variables when it is imported, so they are set for a
new process, never inside a running one.
"""

from __future__ import annotations

from collections.abc import Mapping

from localaws.access.root import RootKeys
from localaws.settings import HOST, Settings

# The user's own AWS settings, and ministack's, must not leak into the local AWS.
_DROPPED_PREFIXES = ("AWS_", "MINISTACK_", "LAMBDA_", "S3_", "SFTP_", "IOT_")


def server_environment(
    settings: Settings, root: RootKeys, inherited: Mapping[str, str]
) -> dict[str, str]:
    """Everything the server process needs, and nothing of the user's AWS configuration."""
    kept = {k: v for k, v in inherited.items() if not k.startswith(_DROPPED_PREFIXES)}
    return kept | {
        # Ours.
        "CUSTODY_LOCAL_HOME": str(settings.home),
        "LOCAL_AWS_PORT": str(settings.port),
        "LOCAL_AWS_ACCOUNT_ID": settings.account_id,
        "LOCAL_AWS_REGION": settings.region,
        "LOCAL_AWS_LISTEN": settings.listen,
        # ministack: check signatures and policies, keep everything.
        "AUTH": "true",
        "PERSIST_STATE": "1",
        "STATE_DIR": str(settings.state),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(settings.s3),
        "MINISTACK_ACCOUNT_ID": settings.account_id,
        "MINISTACK_REGION": settings.region,
        # An address, so that queue URLs name it and no client tries IPv6 first.
        "MINISTACK_HOST": HOST,
        "GATEWAY_PORT": str(settings.port),
        # Lambda functions run as processes and call back here.
        "LAMBDA_EXECUTOR": "local",
        "AWS_ENDPOINT_URL": settings.endpoint,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": root.access_key_id,
        "AWS_SECRET_ACCESS_KEY": root.secret_access_key,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        # No listeners of services nobody asked for, and no look at the user's containers.
        "SFTP_ENABLED": "0",
        "IOT_MTLS_ENABLED": "0",
        "DOCKER_HOST": f"unix://{settings.run}/no-docker.sock",
        "TMPDIR": str(settings.tmp),
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        "PYTHONUNBUFFERED": "1",
    }
