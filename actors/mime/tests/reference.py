#!/usr/bin/env python3
"""What Python's email package reads of each message that is listed in a file, as a line of JSON each."""

import email
import email.policy
import json
import sys
from email.header import decode_header, make_header
from email.utils import getaddresses, parsedate_to_datetime


def squeezed(text):
    return " ".join(text.replace("\0", "").split())


def decoded(value):
    """A header of the old policy, which keeps what it cannot read."""
    if value is None:
        return None
    try:
        return str(make_header(decode_header(value)))
    except (LookupError, UnicodeError, ValueError):
        return str(value)


def addresses(message, name):
    values = [str(value) for value in message.get_all(name, [])[:1]]
    try:
        # Newer Pythons give up on a field with one odd address, unless they are told not to.
        read = getaddresses(values, strict=False)
    except TypeError:
        read = getaddresses(values)
    return [address for _, address in read if "@" in address]


def date(message):
    try:
        read = parsedate_to_datetime(message["Date"])
    except (TypeError, ValueError, IndexError, AttributeError):
        return None
    zone = read.isoformat(timespec="seconds")
    return zone if read.tzinfo else zone + "+00:00"


def leaves(message):
    """The parts that hold no others, not looking into messages."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in message.get_payload():
            yield from leaves(part)
    else:
        yield message


def kind(part):
    """A multipart in which there is nothing is text: so it is shown."""
    return "text/plain" if part.get_content_maintype() == "multipart" else part.get_content_type()


def text(part):
    payload = part.get_payload(decode=True)
    charset = part.get_content_charset() or "utf-8"
    if payload is None:
        return None
    for name in (charset, "utf-8", "cp1252"):
        try:
            return squeezed(payload.decode(name, "strict" if name != "cp1252" else "replace"))
        except (LookupError, UnicodeError):
            continue


def told(raw):
    message = email.message_from_bytes(raw)
    parts = list(leaves(message))
    names = []
    for part in parts:
        name = part.get_filename()
        if name:
            names.append(squeezed(decoded(name)))

    def is_body(part):
        return (
            kind(part) == "text/plain"
            and part.get_content_disposition() in (None, "inline")
            and (not part.get_filename() or len(parts) == 1)
        )

    body = next((part for part in parts if is_body(part)), None)
    subject = decoded(message["Subject"])
    return {
        "subject": squeezed(subject) if subject is not None else None,
        "from": addresses(message, "From"),
        "to": addresses(message, "To"),
        "date": date(message),
        "parts": [kind(part) for part in parts],
        "names": names,
        "text": text(body) if body is not None else None,
    }


for line in open(sys.argv[1], encoding="utf-8"):
    name, path = line.rstrip("\n").split("\t")
    with open(path, "rb") as file:
        raw = file.read()
    try:
        result = told(raw)
    except Exception as error:  # A message that Python cannot read at all is told as such.
        result = {"error": repr(error)}
    print(json.dumps({"name": name, **result}))
