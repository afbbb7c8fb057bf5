"""A Parquet file that vouches for each of its bytes, and that everybody's readers open as any other."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sims.sweep.unite import is_text

FORMAT = 1
NONE = b"0" * 64
MARK = b"byzcheck.sha256\x18\x40"  # the key, and how Thrift begins a text of 64 bytes; the digest comes next
ABOUT, BEGIN = b"\x08byzcheck\x18", b'{"format"'
DECODER = json.JSONDecoder()
SMALL = 1 << 16  # bytes; below, compression saves next to nothing, and undoing it takes half the time of reading
DICTIONARY = 1 << 26  # bytes; configurations are long, and the default of 2^20 would write each of them many times


def seal(rows: pa.Table, about: Mapping[str, Any]) -> bytes:
    """A Parquet file of `rows` that says in its footer what they are about, and the digest of all its bytes.

    The key "byzcheck" of the footer has `about` as JSON, "byzcheck.sha256" the SHA-256 of the file with zeros for these
    64 digits. No Arrow schema is kept: every reader gets the types that Parquet has.
    """
    sink = pa.BufferOutputStream()
    plain = rows.replace_schema_metadata(None)
    texts: Any = [field.name for field in plain.schema if is_text(field.type)]
    others: Any = [name for name in plain.column_names if name not in texts]  # statistics would repeat long texts
    text = json.dumps({"format": FORMAT, **about}, allow_nan=False)
    with pq.ParquetWriter(
        sink,
        plain.schema,
        compression="zstd" if plain.nbytes > SMALL else "none",
        use_dictionary=texts,
        dictionary_pagesize_limit=DICTIONARY,
        write_statistics=others,
        store_schema=False,
    ) as writer:
        writer.write_table(plain)
        writer.add_key_value_metadata({"byzcheck": text, "byzcheck.sha256": NONE.decode()})
    content = bytearray(sink.getvalue())
    at = content.rindex(MARK + NONE) + len(MARK)
    content[at : at + len(NONE)] = hashlib.sha256(content).hexdigest().encode()
    return bytes(content)


def unseal(content: bytes) -> dict[str, Any]:
    """What a sealed file is about; `ValueError` with the reason if it is not, byte for byte, what was sealed."""
    at = content.rfind(MARK) + len(MARK)
    if at < len(MARK):
        raise ValueError("it has no digest: cut off, or not written by byzcheck")
    digest = hashlib.sha256()
    for part in (memoryview(content)[:at], NONE, memoryview(content)[at + len(NONE) :]):
        digest.update(part)
    if digest.hexdigest().encode() != content[at : at + len(NONE)]:
        raise ValueError("its bytes are not those that were written")
    # found as it was written, for reading the whole footer takes longer than everything else about a small file
    text = content[content.index(BEGIN, content.rindex(ABOUT)) :].decode("latin-1")
    about, _ = DECODER.raw_decode(text)
    if about["format"] != FORMAT:
        raise ValueError(f"it has format {about['format']}, and this byzcheck reads {FORMAT}")
    return about
