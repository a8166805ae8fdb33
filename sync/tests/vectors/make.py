#!/usr/bin/env python3
"""Writes payload.json: MVDS payloads as encoded by another protobuf implementation.

Goal: the payloads of this crate are the bytes that everybody else's are. The encoder here is Google's protobuf
for Python, with classes that its own compiler makes of the schema of 2/MVDS below.

How to run it, in this folder:

    python3 -m venv pbvenv
    pbvenv/bin/pip install grpcio-tools==1.85.1 protobuf==7.36.2
    pbvenv/bin/python make.py

The output does not depend on when or where it is run; a second run must leave payload.json as it is.

Each case is {name, hex, acks, offers, requests, messages}: the payload's bytes and the records that they stand
for, in their order, with ids, groups and bodies in hex and timestamps as numbers (signed, 64 bit). The ids of
records are SHA-256 of a counter: 32 bytes without meaning. Where a case has `canonical_hex`, `hex` is not what
an encoder writes for these records: decoding `hex` gives the records, and encoding those gives `canonical_hex`.
"""

import hashlib
import importlib
import json
import pathlib
import sys
import tempfile

SCHEMA = """
syntax = "proto3";
package vac.mvds;

message Payload {
  repeated bytes acks = 5001;
  repeated bytes offers = 5002;
  repeated bytes requests = 5003;
  repeated Message messages = 5004;
}

message Message {
  bytes group_id = 6001;
  int64 timestamp = 6002;
  bytes body = 6003;
}
"""

# A payload of a later version of the protocol, for fields that are unknown to this one.
LATER = """
syntax = "proto3";
package later;

message Payload { bytes extra = 7777; }
"""


def compiled(name, schema):
    """The module that protoc makes of `schema`."""
    from grpc_tools import protoc

    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder, f"{name}.proto").write_text(schema)
        status = protoc.main(["protoc", f"-I{folder}", f"--python_out={folder}", f"{name}.proto"])
        if status != 0:
            raise SystemExit(f"protoc ended with {status}")
        sys.path.insert(0, folder)
        try:
            return importlib.import_module(f"{name}_pb2")
        finally:
            sys.path.remove(folder)


mvds = compiled("mvds", SCHEMA)
later = compiled("later", LATER)


def ids(start, count):
    """`count` ids of 32 bytes."""
    return [hashlib.sha256(number.to_bytes(4, "little")).digest() for number in range(start, start + count)]


GROUP = hashlib.sha256(b"group").digest()
# 2019-07-18 in milliseconds.
AT = 1_563_408_000_000


def message(timestamp, body, group=GROUP):
    """One MESSAGE record."""
    return mvds.Message(group_id=group, timestamp=timestamp, body=body)


def case(name, acks=(), offers=(), requests=(), messages=(), encoded=None):
    """One case; `encoded` are its bytes where they are not the canonical ones."""
    payload = mvds.Payload(acks=acks, offers=offers, requests=requests, messages=messages)
    canonical = payload.SerializeToString(deterministic=True)
    encoded = canonical if encoded is None else encoded
    # The other implementation reads the same records from these bytes.
    back = mvds.Payload.FromString(encoded)
    back.DiscardUnknownFields()
    assert back == payload, name
    entry = {
        "name": name,
        "hex": encoded.hex(),
        "acks": [id.hex() for id in payload.acks],
        "offers": [id.hex() for id in payload.offers],
        "requests": [id.hex() for id in payload.requests],
        "messages": [
            {"group": each.group_id.hex(), "timestamp": each.timestamp, "body": each.body.hex()}
            for each in payload.messages
        ],
    }
    if encoded != canonical:
        entry["canonical_hex"] = canonical.hex()
    return entry


def cases():
    """All cases."""
    extra = later.Payload(extra=b"from a later version").SerializeToString(deterministic=True)
    everything = {
        "acks": ids(10, 2),
        "offers": ids(20, 3),
        "requests": ids(30, 1),
        "messages": [message(AT, b"hello"), message(AT + 1, "grüß dich".encode())],
    }
    everything_encoded = mvds.Payload(**everything).SerializeToString(deterministic=True)
    one_each = mvds.Payload(acks=ids(10, 1), offers=ids(20, 1)).SerializeToString(deterministic=True)
    yield case("empty payload")
    yield case("one ack", acks=ids(1, 1))
    yield case("one offer", offers=ids(2, 1))
    yield case("one request", requests=ids(3, 1))
    yield case("one message", messages=[message(AT, b"hello")])
    yield case("all kinds", **everything)
    yield case("negative timestamp", messages=[message(-1, b"before 1970")])
    yield case("smallest timestamp", messages=[message(-(2**63), b"first")])
    yield case("largest timestamp", messages=[message(2**63 - 1, b"last")])
    yield case("timestamp zero is not written", messages=[message(0, b"1970")])
    yield case("empty body", messages=[message(AT, b"")])
    yield case("message without any field", messages=[message(0, b"", group=b"")])
    yield case("body of 300 bytes", messages=[message(AT, bytes(number % 256 for number in range(300)))])
    yield case("200 offers", offers=ids(1000, 200))
    yield case("unknown field 7777 appended", **everything, encoded=everything_encoded + extra)
    yield case("unknown field 7777 in front", **everything, encoded=extra + everything_encoded)
    # Fields may come in any order, repeated ones in several runs.
    yield case("two payloads end to end", acks=ids(10, 1) * 2, offers=ids(20, 1) * 2, encoded=one_each * 2)


if __name__ == "__main__":
    target = pathlib.Path(__file__).with_name("payload.json")
    target.write_text(json.dumps(list(cases()), indent=1) + "\n")
    print(f"wrote {target.name}")
