"""Put Vorbis comments into FLAC and OGG files, while they are being written.

libsndfile knows ten fields and numbers OGG streams at random; here any field can be written and equal input gives equal
bytes. Knows the two containers, not what the fields mean. Sources: the Vorbis I specification (xiph.org, section 5),
RFC 3533 (Ogg), RFC 9639 (FLAC).
"""

import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

FLAC_VORBIS_COMMENT = 4  # type of a FLAC metadata block
MAX_SEGMENTS = 255  # in an OGG page
MAX_SEGMENT_BYTES = 255  # a shorter one ends a packet
CONTINUED = 1  # flag of an OGG page whose first packet began on the page before

_COMMENT_PACKET = b"\x03vorbis"
_PAGE_HEADER = struct.Struct("<4sBBqIIIB")
_REVERSED_BITS = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def comment_block(fields: Mapping[str, str], vendor: bytes) -> bytes:
    """Write the fields as FLAC and Vorbis store them: UTF-8, each with its length before it."""
    texts = [f"{name}={text}".encode() for name, text in fields.items()]
    counted = [struct.pack("<I", len(text)) + text for text in (vendor, *texts)]
    return counted[0] + struct.pack("<I", len(texts)) + b"".join(counted[1:])


def _vendor(block: bytes) -> bytes:
    (length,) = struct.unpack_from("<I", block)
    return block[4 : 4 + length]


def tag_flac(file: bytes, fields: Mapping[str, str]) -> bytes:
    """Replace the comments of a FLAC file, or of what there is of it from its metadata on, by `fields`.

    STREAMINFO, the first 42 bytes, stays where it is.
    """
    position, is_last, blocks = 4, False, [file[:4]]
    while not is_last:
        head = int.from_bytes(file[position : position + 4], "big")
        is_last, kind, length = bool(head >> 31), head >> 24 & 0x7F, head & 0xFFFFFF
        body = file[position + 4 : position + 4 + length]
        position += 4 + length
        if kind == FLAC_VORBIS_COMMENT:
            body = comment_block(fields, _vendor(body))
        blocks.append((is_last << 31 | kind << 24 | len(body)).to_bytes(4, "big") + body)
    return b"".join(blocks) + file[position:]


@dataclass(frozen=True, slots=True)
class _Page:
    """One page of an OGG stream; `segments` are the lengths of the pieces that `body` is made of."""

    flags: int
    granule: int
    segments: bytes
    body: bytes
    sequence: int = 0
    serial: int = 0

    def __bytes__(self) -> bytes:
        def header(checksum: int) -> bytes:
            position = (self.flags, self.granule, self.serial, self.sequence)
            return _PAGE_HEADER.pack(b"OggS", 0, *position, checksum, len(self.segments))

        rest = self.segments + self.body
        return header(_checksum(header(0) + rest)) + rest


def _checksum(page: bytes) -> int:
    """Compute an OGG page's CRC-32: zlib's polynomial with the bits of every byte, and the sum's, in reverse."""
    checksum = zlib.crc32(page.translate(_REVERSED_BITS), 0xFFFFFFFF) ^ 0xFFFFFFFF
    return int.from_bytes(checksum.to_bytes(4, "little").translate(_REVERSED_BITS), "big")


def _header_pages(comment: bytes, setup: bytes) -> Iterator[_Page]:
    """Lay the second and third header packet out on as few pages as they need."""
    body = comment + setup
    segments = b"".join(
        bytes([MAX_SEGMENT_BYTES] * whole + [rest])
        for whole, rest in (divmod(len(packet), MAX_SEGMENT_BYTES) for packet in (comment, setup))
    )
    start = 0
    for first in range(0, len(segments), MAX_SEGMENTS):
        on_page = segments[first : first + MAX_SEGMENTS]
        is_continued = first > 0 and segments[first - 1] == MAX_SEGMENT_BYTES
        ends_packet = any(length < MAX_SEGMENT_BYTES for length in on_page)
        end = start + sum(on_page)
        yield _Page(CONTINUED if is_continued else 0, 0 if ends_packet else -1, on_page, body[start:end])
        start = end


class OggTagger:
    """Replaces the comments of an OGG Vorbis stream that comes in pieces, and its random serial number by theirs."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        self._fields = fields
        self._unread = b""
        self._headers: list[_Page] = []
        self._serial: int | None = None
        self._n_pages = 0

    def tag(self, piece: bytes) -> bytes:
        """Take the next piece of the stream, of any length; return the pages that it completes, tagged."""
        self._unread += piece
        return b"".join(map(self._numbered, self._tagged_pages()))

    def _tagged_pages(self) -> Iterator[_Page]:
        for page in self._whole_pages():
            if self._serial is not None:
                yield page
                continue
            self._headers.append(page)
            # In OGG Vorbis the last header ends its page.
            if len(packets := _packets(self._headers[1:])) == 2:
                yield from self._tagged_headers(*packets)

    def _tagged_headers(self, old_comment: bytes, setup: bytes) -> Iterator[_Page]:
        block = comment_block(self._fields, _vendor(old_comment[len(_COMMENT_PACKET) :]))
        comment = _COMMENT_PACKET + block + b"\x01"
        self._serial = zlib.crc32(comment)
        yield self._headers[0]
        yield from _header_pages(comment, setup)

    def _whole_pages(self) -> Iterator[_Page]:
        position = 0
        while (end := _page_end(self._unread, position)) is not None:
            _, _, flags, granule, _, _, _, n_segments = _PAGE_HEADER.unpack_from(self._unread, position)
            start = position + _PAGE_HEADER.size
            segments = self._unread[start : start + n_segments]
            yield _Page(flags, granule, segments, self._unread[start + n_segments : end])
            position = end
        self._unread = self._unread[position:]

    def _numbered(self, page: _Page) -> bytes:
        numbered = replace(page, sequence=self._n_pages, serial=self._serial or 0)
        self._n_pages += 1
        return bytes(numbered)


def _page_end(data: bytes, start: int) -> int | None:
    """Say where the page that begins at `start` ends; None where its end is not there yet."""
    segments_start = start + _PAGE_HEADER.size
    if len(data) < segments_start:
        return None
    n_segments = data[segments_start - 1]
    end = segments_start + n_segments + sum(data[segments_start : segments_start + n_segments])
    return end if len(data) >= end else None


def _packets(pages: Iterable[_Page]) -> list[bytes]:
    """Join the segments of pages to the packets that they complete."""
    packets: list[bytes] = []
    current = b""
    for page in pages:
        start = 0
        for length in page.segments:
            current += page.body[start : start + length]
            start += length
            if length < MAX_SEGMENT_BYTES:
                packets.append(current)
                current = b""
    return packets
