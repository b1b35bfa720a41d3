"""A real S3 server on loopback, in this process: moto's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

BUCKET = "movies"


@dataclass(frozen=True)
class S3:
    """A server with one bucket, seen with Amazon's own client."""

    endpoint: str
    client: Any

    @property
    def url(self) -> str:
        """A store in the bucket, as a user writes it."""
        return f"s3://{BUCKET}/team"

    @property
    def env(self) -> dict[str, str]:
        """What a process needs to reach the server."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL_S3": self.endpoint}

    def objects(self) -> dict[str, bytes]:
        """What lies in the bucket, by name."""
        pages = self.client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
        names = [one["Key"] for page in pages for one in page.get("Contents", [])]
        return {n: self.client.get_object(Bucket=BUCKET, Key=n)["Body"].read() for n in names}

    def write(self, name: str, content: bytes, acl: str = "private") -> None:
        """Put an object; with the ACL `public-read`, those without credentials may read it."""
        self.client.put_object(Bucket=BUCKET, Key=name, Body=content, ACL=acl)

    def empty(self) -> None:
        """Remove every object."""
        for name in self.objects():
            self.client.delete_object(Bucket=BUCKET, Key=name)


CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@contextmanager
def running() -> Iterator[S3]:
    """A server while the block runs."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        endpoint = f"http://{host}:{port}"
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="testing",
        )
        client.create_bucket(Bucket=BUCKET)
        s3 = S3(endpoint, client)
        s3.empty()  # moto keeps its buckets as long as the process: another test's may be there
        yield s3
        client.close()
    finally:
        server.stop()
