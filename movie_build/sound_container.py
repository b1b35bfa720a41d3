"""Which container bytes of sound are in, by their content, and whether they are there to the end.

FFmpeg is told the container, never asked to guess: it would take a playlist for sound, and open
what that names. And it decodes a torn mp3, ogg or wav without complaint.
"""

from __future__ import annotations

import struct


class BrokenSound(Exception):
    """These bytes are no whole sound. Who asked for them knows where they came from, and tells."""


_MAGIC = {
    b"fLaC": "flac",
    b"OggS": "ogg",
    b"\x1aE\xdf\xa3": "matroska",
    b"caff": "caf",
    b".snd": "au",
}
# ISO/IEC 11172-3 2.4.2.3, layer III; kbit/s by version and index.
_MPEG1_KBPS = (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)
_MPEG2_KBPS = (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)
_MPEG_HZ = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}
_ID3_HEAD, _ID3_FOOT = 10, 10
_OGG_HEAD, _OGG_LAST = 27, 0x04
# Who writes a stream does not know its size yet, and writes something like these.
_UNKNOWN_FROM = 0x7FFF0000
_TEXT_LOOK = 64


def container(sound: bytes) -> str | None:
    """FFmpeg's name for the container of `sound`; None if it is none, or not one for sound."""
    if sound[:4] in (b"RIFF", b"RF64") and sound[8:12] == b"WAVE":
        return "wav"
    if sound[:4] == b"FORM" and sound[8:11] == b"AIF":
        return "aiff"
    if sound[4:8] == b"ftyp":
        return "mov"
    if name := _MAGIC.get(sound[:4]):
        return name
    start = _after_id3(sound, 0)
    for name, frame_size in (("mp3", _mp3_frame), ("aac", _adts_frame)):
        size = frame_size(sound, start)
        # Two bytes are soon alike: a second frame, or nothing, must follow.
        if size and (start + size >= len(sound) or frame_size(sound, start + size) or start):
            return name
    return None


def is_text(sound: bytes) -> bool:
    """Whether these bytes are a page or a message instead of sound."""
    head = sound[:_TEXT_LOOK].removeprefix(b"\xef\xbb\xbf").lstrip()
    return head[:1] in (b"<", b"{", b"[") and all(b >= 32 or b in b"\t\r\n" for b in head)


def whole(sound: bytes, name: str) -> bytes:
    """`sound` if it is there to its end; a wav with its true size told, an mp3 without its tags.

    Raises:
        BrokenSound: it is cut short, or there is only a header.
    """
    if name == "wav" and sound[:4] == b"RIFF":
        return _whole_wav(sound)
    if name == "mp3":
        return _whole_mp3(sound)
    if name == "ogg" and not _ogg_ends(sound):
        raise BrokenSound("the sound is cut short")
    return sound


def _whole_wav(sound: bytes) -> bytes:
    """Microsoft/IBM RIFF 1.0: the size of a chunk stands after its name."""
    at, align = 12, 1
    while at + 8 <= len(sound):
        name, size = struct.unpack_from("<4sI", sound, at)
        start = at + 8
        if name == b"fmt " and len(sound) >= start + 16:
            align = max(1, struct.unpack_from("<H", sound, start + 12)[0])
        if name == b"data":
            n_bytes = _wav_bytes(sound, start, size)
            n_bytes -= n_bytes % align
            if n_bytes == 0:
                break
            sizes = struct.pack("<I", start - 8 + n_bytes), struct.pack("<I", n_bytes)
            body = sound[start : start + n_bytes]
            return sound[:4] + sizes[0] + sound[8 : start - 4] + sizes[1] + body
        at = start + size + size % 2
    raise BrokenSound("there is a wav header, and no sound after it")


def _wav_bytes(sound: bytes, start: int, told: int) -> int:
    """How many bytes of samples there are, where the header tells of `told`."""
    there = len(sound) - start
    if told >= _UNKNOWN_FROM:
        return there
    if told > there:
        raise BrokenSound(f"the sound is cut short: {there} of {told} bytes are there")
    rest = sound[start + told + told % 2 :]
    if rest[:4] == b"RIFF":
        raise BrokenSound("there are several wav files in one")
    # What is no chunk after the samples is more of them: the size was wrong.
    is_chunk = len(rest) >= 8 and rest[:4].isascii() and rest[:4].decode().isprintable()
    if len(rest) < 8 or (is_chunk and struct.unpack_from("<I", rest, 4)[0] <= len(rest) - 8):
        return told
    return there


def _after_id3(sound: bytes, at: int) -> int:
    """Where the ID3v2 tags at `at` end (id3.org 2.4.0, 3.1); `at` itself if there are none."""
    while sound[at : at + 3] == b"ID3" and at + _ID3_HEAD <= len(sound):
        sizes = zip(sound[at + 6 : at + 10], (21, 14, 7, 0), strict=True)
        foot = _ID3_FOOT if sound[at + 5] & 0x10 else 0
        at += _ID3_HEAD + sum((byte & 0x7F) << shift for byte, shift in sizes) + foot
    return at


def _mp3_frame(sound: bytes, at: int) -> int:
    """The size in bytes of the mp3 frame at `at`, 0 if there is none (ISO/IEC 11172-3 2.4.3.1)."""
    head = sound[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return 0
    rates_hz = _MPEG_HZ.get(head[1] >> 3 & 3)
    bitrate, rate = head[2] >> 4, head[2] >> 2 & 3
    if rates_hz is None or bitrate in (0, 15) or rate == 3:
        return 0
    version1 = rates_hz is _MPEG_HZ[3]
    kbps = (_MPEG1_KBPS if version1 else _MPEG2_KBPS)[bitrate]
    return (144_000 if version1 else 72_000) * kbps // rates_hz[rate] + (head[2] >> 1 & 1)


def _adts_frame(sound: bytes, at: int) -> int:
    """The size in bytes of the ADTS frame at `at`, 0 if there is none (ISO/IEC 14496-3 1.A.2.2)."""
    head = sound[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


def _whole_mp3(sound: bytes) -> bytes:
    """The frames; tags and fillings before, between and after them are left out."""
    frames = []
    at, in_step = 0, True
    while at < len(sound):
        after = _after_id3(sound, at)
        size = _mp3_frame(sound, at)
        if size and (in_step or at + size == len(sound) or _mp3_frame(sound, at + size)):
            after = at + size
            frames.append(sound[at:after])
            if after > len(sound):
                raise BrokenSound("the sound is cut short")
        elif in_step and sound[at] == 0xFF and len(sound) - at < 4:
            raise BrokenSound("the sound is cut short")
        in_step = after > at
        if not in_step:
            after = sound.find(b"\xff", at + 1)
            if after < 0:
                break
        at = after
    return b"".join(frames)


def _ogg_ends(sound: bytes) -> bool:
    """Whether the last page is whole and says that it is the last (RFC 3533 6)."""
    at, flags = 0, 0
    while at < len(sound):
        head = sound[at : at + _OGG_HEAD]
        if len(head) < _OGG_HEAD or head[:4] != b"OggS":
            return False
        flags, n_segments = head[5], head[26]
        lacing = sound[at + _OGG_HEAD : at + _OGG_HEAD + n_segments]
        at += _OGG_HEAD + n_segments + sum(lacing)
    return at == len(sound) and bool(flags & _OGG_LAST)
