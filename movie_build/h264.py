"""A picture as H.264: encoded once as an IDR picture, then repeated in eleven bytes a frame.

The IDR picture is x264's, with CABAC. The repeats are written here: P pictures
in which every macroblock is skipped, under a picture parameter set of their own
with CAVLC, which makes each a single number and every one of them free of loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from movie_build import h264_syntax as syntax
from movie_build.bitstream import join_annex_b, split_annex_b
from movie_build.errors import EncodeError

if TYPE_CHECKING:
    import av
    import numpy as np
    from numpy.typing import NDArray

_PRESET = "medium"
# one picture a stream: nothing to look ahead to, nothing to refer to, no thread to feed;
# stitchable keeps the parameter sets the same whatever the picture holds
_X264 = (
    "stitchable=1:keyint=infinite:scenecut=0:bframes=0:weightp=0:ref=1:rc-lookahead=0"
    ":sync-lookahead=0:mbtree=0:threads=1:lookahead-threads=1:slices=1:cabac=1:chromaloc=1"
)
_MAX_SIDE_PX = 16384


@dataclass(frozen=True, slots=True)
class VideoFormat:
    """What all pictures of a movie share. `crf` is x264's, 0 (best) to 51.

    Raises:
        EncodeError: an odd or impossible size, rate or quality.
    """

    width_px: int
    height_px: int
    fps: Fraction
    crf: int

    def __post_init__(self) -> None:
        for name, side_px in (("width", self.width_px), ("height", self.height_px)):
            if side_px % 2 or not 16 <= side_px <= _MAX_SIDE_PX:
                raise EncodeError(
                    f"a movie's {name} must be an even number of pixels"
                    f" from 16 to {_MAX_SIDE_PX}, not {side_px}"
                )
        if not 0 < self.fps <= 1000:
            raise EncodeError(
                f"a movie's frame rate must be above 0 and at most 1000, not {self.fps}"
            )
        if not 0 <= self.crf <= 51:
            raise EncodeError(f"crf must be from 0 (best) to 51, not {self.crf}")


def encode_picture(rgb: NDArray[np.uint8], fmt: VideoFormat) -> bytes:
    """`rgb` as a self-contained H.264 stream of one picture (annex B): SPS, both PPS, IDR.

    `rgb` is uint8, shape (height, width, 3), sRGB; the stream is yuv420p, BT.709,
    limited range. The bytes depend on nothing but the arguments and the encoder.

    Raises:
        EncodeError: the picture is not of the movie's size, or the encoder refuses it.
    """
    import av

    if rgb.shape != (fmt.height_px, fmt.width_px, 3):
        raise EncodeError(
            f"a picture of shape {rgb.shape} does not fit a movie"
            f" of {fmt.width_px}x{fmt.height_px} pixels"
        )
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height = fmt.width_px, fmt.height_px
    encoder.pix_fmt = "yuv420p"
    encoder.framerate = fmt.fps
    encoder.time_base = 1 / fmt.fps
    encoder.sample_aspect_ratio = Fraction(1)
    encoder.color_primaries = encoder.color_trc = encoder.colorspace = 1
    encoder.color_range = 1
    encoder.thread_count = 1
    encoder.options = {
        "preset": _PRESET,
        "profile": "high",
        # crf 0 would be the lossless mode, which is not in the High profile
        "crf": str(fmt.crf or 1),
        "x264-params": _X264,
    }
    try:
        packets = [*encoder.encode(_to_yuv(rgb)), *encoder.encode(None)]
    except av.FFmpegError as error:
        raise EncodeError(
            f"the H.264 encoder refuses {fmt.width_px}x{fmt.height_px} at {fmt.fps} frames"
            f" a second: {error.strerror}"
        ) from error
    units = [unit for packet in packets for unit in split_annex_b(bytes(packet))]
    sps, pps, idr = (unit for unit in units if unit[0] & 31 != syntax.NAL_SEI)
    stream = join_annex_b([sps, pps, syntax.skip_pps(), idr])
    read_picture(stream, fmt)  # what cannot be repeated is refused here, where the picture is known
    return stream


def _to_yuv(rgb: NDArray[np.uint8]) -> av.VideoFrame:
    import av
    from av.video.reformatter import ColorRange, Colorspace, Interpolation

    frame = av.VideoFrame.from_ndarray(rgb, format="rgb24").reformat(
        format="yuv420p",
        dst_colorspace=Colorspace.ITU709,
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        interpolation=Interpolation.BICUBIC
        | Interpolation.ACCURATE_RND
        | Interpolation.FULL_CHR_H_INP
        | Interpolation.BITEXACT,
    )
    frame.pts = 0
    return frame


@dataclass(frozen=True, slots=True)
class EncodedPicture:
    """An encoded picture's NAL units: its parameter sets and its IDR slice."""

    sps: bytes
    pps: bytes
    skip_pps: bytes
    idr: bytes


def read_picture(stream: bytes, fmt: VideoFormat) -> EncodedPicture:
    """The picture that `encode_picture` gave as `stream` for `fmt`.

    Raises:
        EncodeError: it is damaged, of another size, or its parameter sets are not handled.
    """
    units = split_annex_b(stream)
    if len(units) != 4 or units[2] != syntax.skip_pps() or units[3][:1] != b"\x65":
        raise EncodeError("an encoded picture is damaged; delete it and build again")
    picture = EncodedPicture(*units)
    sps = syntax.read_sps(picture.sps)
    syntax.read_pps(picture.pps)
    if (sps.width_mbs, sps.height_mbs) != (-(-fmt.width_px // 16), -(-fmt.height_px // 16)):
        raise EncodeError(
            f"an encoded picture is not of {fmt.width_px}x{fmt.height_px} pixels;"
            " delete it and build again"
        )
    return picture


class Repeater:
    """Makes access units of one movie's pictures, each shown for any number of frames.

    Access units are as in MP4: each NAL unit behind its length in four bytes.
    All pictures must share the parameter sets of `first`.
    """

    def __init__(self, first: EncodedPicture, keyframe_interval: int) -> None:
        self._first = first
        self._sps = syntax.read_sps(first.sps)
        self._pps = syntax.read_pps(first.pps)
        self._keyframe_interval = keyframe_interval
        self._skips: list[bytes] = []
        self._idr_pic_id: int | None = None  # of the picture before, where that is an IDR picture

    def still(self, picture: EncodedPicture, n_frames: int) -> Iterator[bytes]:
        """Yield `n_frames` access units that show `picture`.

        An IDR picture comes first and then at every keyframe interval.

        Raises:
            EncodeError: the picture was encoded in another way than the first one.
        """
        if (picture.sps, picture.pps) != (self._first.sps, self._first.pps):
            raise EncodeError(
                "the pictures of this movie were not encoded alike (size, rate, or encoder);"
                " delete the encoded pictures and build again"
            )
        for start in keyframes(n_frames, self._keyframe_interval):
            n_skips = min(self._keyframe_interval, n_frames - start) - 1
            yield self._idr(picture, is_alone=n_skips == 0)
            yield from self._skip_pictures(n_skips)

    def _idr(self, picture: EncodedPicture, *, is_alone: bool) -> bytes:
        idr_pic_id = 1 if self._idr_pic_id == 0 else 0
        self._idr_pic_id = idr_pic_id if is_alone else None
        unit = picture.idr
        if idr_pic_id:
            unit = syntax.with_idr_pic_id(unit, idr_pic_id, self._sps, self._pps)
        return _access_unit(unit)

    def _skip_pictures(self, n_pictures: int) -> list[bytes]:
        for n_after_idr in range(len(self._skips) + 1, n_pictures + 1):
            self._skips.append(_access_unit(syntax.skip_picture(self._sps, n_after_idr)))
        return self._skips[:n_pictures]


def keyframes(n_frames: int, keyframe_interval: int) -> range:
    """Those of a still's `n_frames` frames at which an IDR picture stands."""
    return range(0, n_frames, keyframe_interval)


def _access_unit(unit: bytes) -> bytes:
    return len(unit).to_bytes(4, "big") + unit
