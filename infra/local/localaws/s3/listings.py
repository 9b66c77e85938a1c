"""Keys in S3's answers that XML 1.0 cannot hold, such as `a\\x01b`.

A key may be any UTF-8 text, and S3 answers in XML 1.0, which has no U+0001 and no U+FFFE. S3 writes
such a character as a reference (`&#x1;`), at which an XML parser stops all the same. Who lists
keys can ask for them percent-encoded (`encoding-type=url`); botocore does so by itself. ministack
writes the character as it is, and encodes the keys of ListObjects and ListObjectsV2, but not those
of ListObjectVersions.

Sources: "ListObjectVersions" in AWS's S3 API reference; answers of S3 quoted in reports of its
clients' users.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote
from xml.etree.ElementTree import Element
from xml.sax.saxutils import unescape

from ministack.services import s3

# A carriage return XML can hold, but parsers read it as a line feed.
_NOT_IN_XML = re.compile("[^\t\n\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#x([0-9a-f]+);")
_ENCODED = re.compile(r"<(Key|Prefix|Delimiter|KeyMarker|NextKeyMarker)>([^<]*)</\1>")


def register() -> None:
    """Have ministack's S3 answer as S3 does; call it once in a process."""
    xml_body = s3._xml_body  # noqa: SLF001
    list_versions = s3._list_object_versions  # noqa: SLF001

    def referring_xml_body(root: Element) -> bytes:
        return as_s3_writes(xml_body(root))

    def encoding_list_versions(bucket: str, query: Mapping[str, Any]) -> Any:
        status, headers, body = list_versions(bucket, query)
        asked = s3._qp(query, "encoding-type", "") == "url"  # noqa: SLF001
        return status, headers, with_encoded_keys(body) if asked and status == 200 else body

    s3._xml_body = referring_xml_body  # noqa: SLF001
    s3._list_object_versions = encoding_list_versions  # noqa: SLF001


def as_s3_writes(body: bytes) -> bytes:
    """An XML document with references for the characters that XML 1.0 cannot hold."""
    return _NOT_IN_XML.sub(lambda found: f"&#x{ord(found[0]):x};", body.decode()).encode()


def with_encoded_keys(body: bytes) -> bytes:
    """A list of versions, as `as_s3_writes` leaves it, with all that is part of a key encoded."""
    listed = _ENCODED.sub(
        lambda found: f"<{found[1]}>{_encoded(found[2])}</{found[1]}>", body.decode()
    )
    return listed.replace("<MaxKeys>", "<EncodingType>url</EncodingType><MaxKeys>", 1).encode()


def _encoded(text: str) -> str:
    characters = _REFERENCE.sub(lambda found: chr(int(found[1], 16)), text)
    return quote(unescape(characters), safe="/")
