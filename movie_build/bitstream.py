"""Bits as H.264 writes them: fixed and Exp-Golomb codes, NAL units, emulation prevention."""

from __future__ import annotations

import re

from movie_build.errors import EncodeError

_EMULATED = re.compile(rb"\x00\x00(?=[\x00-\x03])")
_START_CODE = re.compile(rb"\x00\x00\x01")


class BitReader:
    """Reads codes from the start of `data` on; `position` counts the bits read."""

    __slots__ = ("_n_bits", "_value", "position")

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._n_bits = len(data) * 8
        self.position = 0

    def u(self, n_bits: int) -> int:
        """An unsigned number of `n_bits` bits.

        Raises:
            EncodeError: the data end before it.
        """
        self.position += n_bits
        if self.position > self._n_bits:
            raise EncodeError("an H.264 parameter set or slice header is cut short")
        return (self._value >> (self._n_bits - self.position)) & ((1 << n_bits) - 1)

    def flag(self) -> bool:
        """One bit."""
        return self.u(1) == 1

    def ue(self) -> int:
        """An unsigned Exp-Golomb code (ITU-T H.264 9.1)."""
        n_zeros = 0
        while not self.u(1):
            n_zeros += 1
        return (1 << n_zeros) - 1 + self.u(n_zeros)

    def se(self) -> int:
        """A signed Exp-Golomb code (ITU-T H.264 9.1.1)."""
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


class BitWriter:
    """Writes codes one after the other."""

    __slots__ = ("_value", "n_bits")

    def __init__(self) -> None:
        self._value = 0
        self.n_bits = 0

    def u(self, n_bits: int, value: int) -> None:
        """Write `value` in `n_bits` bits."""
        if not 0 <= value < 1 << n_bits:
            raise ValueError(f"{value} does not fit in {n_bits} bits")
        self._value = self._value << n_bits | value
        self.n_bits += n_bits

    def ue(self, value: int) -> None:
        """Write an unsigned Exp-Golomb code (ITU-T H.264 9.1)."""
        self.u(2 * (value + 1).bit_length() - 1, value + 1)

    def se(self, value: int) -> None:
        """Write a signed Exp-Golomb code (ITU-T H.264 9.1.1)."""
        self.ue(2 * value - 1 if value > 0 else -2 * value)

    def align(self, bit: int) -> None:
        """Fill the last byte up with `bit`."""
        n_bits = -self.n_bits % 8
        self.u(n_bits, (1 << n_bits) - 1 if bit else 0)

    def trailing_bits(self) -> None:
        """Write rbsp_trailing_bits (ITU-T H.264 7.3.2.11): a one, then zeros."""
        self.u(1, 1)
        self.align(0)

    def to_bytes(self) -> bytes:
        """What was written; it must end on a byte's border."""
        if self.n_bits % 8:
            raise ValueError("the bits do not fill whole bytes")
        return self._value.to_bytes(self.n_bits // 8, "big")


def escape(rbsp: bytes) -> bytes:
    """`rbsp` with emulation prevention bytes (ITU-T H.264 7.3.1, 7.4.1)."""
    escaped = _EMULATED.sub(b"\x00\x00\x03", rbsp)
    # an RBSP ends in a stop bit or in whole cabac_zero_words
    return escaped + b"\x03" if escaped.endswith(b"\x00\x00") else escaped


def unescape(payload: bytes) -> bytes:
    """The RBSP of a NAL unit's payload; undoes `escape`."""
    return payload.replace(b"\x00\x00\x03", b"\x00\x00")


def split_annex_b(stream: bytes) -> list[bytes]:
    """The NAL units of a byte stream, without start codes (ITU-T H.264 annex B)."""
    starts = [match.end() for match in _START_CODE.finditer(stream)]
    ends = [*(start - 3 for start in starts[1:]), len(stream)][: len(starts)]
    # a NAL unit never ends in a zero byte, so zeros belong to the next start code
    return [stream[a:b].rstrip(b"\x00") for a, b in zip(starts, ends, strict=True)]


def join_annex_b(units: list[bytes]) -> bytes:
    """A byte stream of NAL units, each behind a four-byte start code."""
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)
