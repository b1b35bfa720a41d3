"""Pictures as H.264: decoded by FFmpeg, which must find nothing to complain about."""

from __future__ import annotations

import resource
from fractions import Fraction
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from movie_build import h264, h264_syntax
from movie_build.bitstream import (
    BitReader,
    BitWriter,
    escape,
    join_annex_b,
    split_annex_b,
    unescape,
)
from movie_build.errors import EncodeError
from movie_build.h264 import Repeater, VideoFormat, encode_picture, read_picture

HD = VideoFormat(1920, 1080, Fraction(30), 23)
SMALL = VideoFormat(320, 180, Fraction(25), 23)


def slide(fmt: VideoFormat, seed: int) -> NDArray[np.uint8]:
    """A picture like a slide: a gradient, text, and a patch as rough as a photograph."""
    rng = np.random.default_rng(seed)
    width, height = fmt.width_px, fmt.height_px
    across, down = np.linspace(0, 1, width), np.linspace(0, 1, height)[:, None]
    colours = rng.integers(30, 226, (2, 3))
    ramp = ((across + down) / 2)[..., None]
    picture = Image.fromarray((colours[0] * ramp + colours[1] * (1 - ramp)).astype(np.uint8))
    ImageDraw.Draw(picture).text((4, 2), f"Slide {seed}", "black", font_size=max(8, height // 8))
    rgb = np.array(picture)
    patch = rgb[height // 2 :, width // 2 :]
    patch[:] = rng.integers(0, 256, (*patch.shape[:2], 1))
    return rgb


def decoded(stream: bytes) -> list[av.VideoFrame]:
    """The frames of an annex B stream; fails on anything that FFmpeg remarks."""
    with av.logging.Capture(local=False) as remarks:
        av.logging.set_level(av.logging.WARNING)
        try:
            decoder = av.CodecContext.create("h264", "r")
            decoder.options = {"err_detect": "explode"}
            decoder.thread_count = 1
            frames = [
                frame
                for packet in [*decoder.parse(stream), *decoder.parse(None), None]
                for frame in decoder.decode(packet)
            ]
        finally:
            av.logging.set_level(None)
    assert not remarks
    return frames


def shown(pictures: list[tuple[bytes, int]], fmt: VideoFormat, keyframe_interval: int) -> bytes:
    """Pictures and their numbers of frames as one annex B stream."""
    read = [(read_picture(stream, fmt), n_frames) for stream, n_frames in pictures]
    first = read[0][0]
    repeater = Repeater(first, keyframe_interval)
    units = [unit[4:] for picture, n in read for unit in repeater.still(picture, n)]
    return join_annex_b([first.sps, first.pps, first.skip_pps, *units])


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps"),
    [
        (1920, 1080, Fraction(30)),
        (1280, 720, Fraction(30000, 1001)),
        (426, 240, Fraction(24)),
        (240, 426, Fraction(60)),
        (16, 16, Fraction(1)),
    ],
)
def test_every_frame_of_a_still_is_its_idr_picture(
    width_px: int, height_px: int, fps: Fraction
) -> None:
    fmt = VideoFormat(width_px, height_px, fps, 23)
    lengths = [40, 1, 1, 1, 2, 18]
    pictures = [(encode_picture(slide(fmt, seed), fmt), n) for seed, n in enumerate(lengths)]
    alone = [decoded(stream)[0].to_ndarray() for stream, _ in pictures]
    frames = decoded(shown(pictures, fmt, keyframe_interval=17))
    expected = [picture for picture, n in zip(alone, lengths, strict=True) for _ in range(n)]
    assert len(frames) == len(expected)
    assert all(
        np.array_equal(frame.to_ndarray(), e) for frame, e in zip(frames, expected, strict=True)
    )
    assert (frames[0].width, frames[0].height) == (width_px, height_px)


def test_neighbouring_idr_pictures_differ_in_idr_pic_id_and_only_they_are_rewritten() -> None:
    stream = encode_picture(slide(SMALL, 1), SMALL)
    picture = read_picture(stream, SMALL)
    repeater = Repeater(picture, 10)
    units = [unit for n in (1, 1, 11, 1, 5) for unit in repeater.still(picture, n)]
    idr = [unit[4:] for unit in units if unit[4] & 31 == h264_syntax.NAL_IDR]

    def idr_pic_id(unit: bytes) -> int:
        bits = BitReader(unescape(unit[1:])[:16])
        bits.ue(), bits.ue(), bits.ue()
        bits.u(h264_syntax.read_sps(picture.sps).frame_num_bits)
        return bits.ue()

    # the third and the fourth have repeated frames between them
    assert [idr_pic_id(unit) for unit in idr] == [0, 1, 0, 0, 1, 0]
    assert [unit == picture.idr for unit in idr] == [True, False, True, True, False, True]


def test_a_repeated_frame_costs_eleven_bytes_and_is_no_key_frame() -> None:
    picture = read_picture(encode_picture(slide(HD, 1), HD), HD)
    units = list(Repeater(picture, 300).still(picture, 301))
    assert [n for n, unit in enumerate(units) if unit[4] & 31 == h264_syntax.NAL_IDR] == [0, 300]
    assert {len(unit) for unit in units[1:300]} == {11}


def test_frame_numbers_wrap_as_the_parameter_set_says() -> None:
    sps = h264_syntax.Sps(frame_num_bits=4, width_mbs=20, height_mbs=12)
    assert h264_syntax.skip_picture(sps, 3) == h264_syntax.skip_picture(sps, 19)
    assert h264_syntax.skip_picture(sps, 3) != h264_syntax.skip_picture(sps, 4)


def test_a_pictures_bytes_do_not_depend_on_what_was_encoded_before() -> None:
    rgb = slide(SMALL, 1)
    before = encode_picture(rgb, SMALL)
    encode_picture(slide(SMALL, 2), SMALL)
    assert encode_picture(rgb, SMALL) == before
    assert encode_picture(slide(SMALL, 3), SMALL) != before


def test_colours_are_bt709_limited_range_and_flagged_so() -> None:
    fmt = VideoFormat(640, 360, Fraction(30), 1)
    colours = np.array([[255, 255, 255], [0, 0, 0], [200, 40, 90], [20, 160, 220]])
    rgb = np.repeat(np.repeat(colours.reshape(2, 2, 3), 180, 0), 320, 1).astype(np.uint8)
    (frame,) = decoded(encode_picture(rgb, fmt))
    assert (frame.colorspace, frame.color_range) == (1, 1)
    assert (frame.color_primaries, frame.color_trc) == (1, 1)
    planes = frame.to_ndarray()
    luma = planes[:360]
    cb, cr = planes[360:450].reshape(180, 320), planes[450:].reshape(180, 320)
    for n, (red, green, blue) in enumerate(colours / 255):
        y, x = 90 + 180 * (n // 2), 160 + 320 * (n % 2)
        exact = 0.2126 * red + 0.7152 * green + 0.0722 * blue  # ITU-R BT.709
        assert abs(luma[y, x] - (16 + 219 * exact)) <= 1
        assert abs(cb[y // 2, x // 2] - (128 + 224 * (blue - exact) / 1.8556)) <= 1
        assert abs(cr[y // 2, x // 2] - (128 + 224 * (red - exact) / 1.5748)) <= 1


def test_the_best_quality_is_still_high_profile() -> None:
    fmt = VideoFormat(320, 180, Fraction(25), 0)
    stream = encode_picture(slide(fmt, 1), fmt)
    assert read_picture(stream, fmt).sps[1] == 100
    assert decoded(stream)


def test_the_piece_is_four_nal_units_without_the_encoders_signature() -> None:
    units = split_annex_b(encode_picture(slide(SMALL, 1), SMALL))
    assert [unit[0] & 31 for unit in units] == [7, 8, 8, 5]
    assert b"x264" not in b"".join(units)


def test_memory_stays_flat_over_many_pictures() -> None:
    rgb = slide(HD, 1)
    for _ in range(3):
        encode_picture(rgb, HD)
    before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(20):
        encode_picture(rgb, HD)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib < 60_000


@pytest.mark.parametrize(
    ("width_px", "height_px", "fps", "crf", "said"),
    [
        (1919, 1080, 30, 23, "width must be an even"),
        (1920, 1081, 30, 23, "height must be an even"),
        (0, 1080, 30, 23, "width"),
        (1920, 40000, 30, 23, "height"),
        (1920, 1080, 0, 23, "frame rate"),
        (1920, 1080, 30, 52, "crf"),
    ],
)
def test_impossible_formats_are_refused(
    width_px: int, height_px: int, fps: int, crf: int, said: str
) -> None:
    with pytest.raises(EncodeError, match=said):
        VideoFormat(width_px, height_px, Fraction(fps), crf)


def test_a_picture_of_another_size_is_refused() -> None:
    with pytest.raises(EncodeError, match="320x180"):
        encode_picture(np.zeros((180, 318, 3), np.uint8), SMALL)


def test_pictures_encoded_in_another_way_cannot_be_joined() -> None:
    one = read_picture(encode_picture(slide(SMALL, 1), SMALL), SMALL)
    fmt = VideoFormat(320, 180, Fraction(24), 23)
    other = read_picture(encode_picture(slide(fmt, 1), fmt), fmt)
    with pytest.raises(EncodeError, match="not encoded alike"):
        list(Repeater(one, 250).still(other, 3))


def test_a_piece_of_another_size_is_refused() -> None:
    with pytest.raises(EncodeError, match="not of 640x360"):
        read_picture(encode_picture(slide(SMALL, 1), SMALL), VideoFormat(640, 360, SMALL.fps, 23))


@pytest.mark.parametrize("damage", ["cut", "empty", "nonsense", "no skip pps"])
def test_a_damaged_picture_is_refused(damage: str) -> None:
    stream = encode_picture(slide(SMALL, 1), SMALL)
    units = split_annex_b(stream)
    broken = {
        "cut": stream[:40],
        "empty": b"",
        "nonsense": b"\x00\x00\x01\x67" + bytes(range(100)),
        "no skip pps": join_annex_b([units[0], units[1], units[1], units[3]]),
    }[damage]
    with pytest.raises(EncodeError):
        read_picture(broken, SMALL)


@pytest.mark.parametrize(
    ("options", "pix_fmt", "said"),
    [
        ({"x264-params": "bframes=2:b-adapt=0"}, "yuv420p", "pic_order_cnt_type"),
        ({"x264-params": "bframes=0:cabac=0"}, "yuv420p", "entropy_coding_mode_flag=0"),
        ({"x264-params": "bframes=0:interlaced=1"}, "yuv420p", "pic_order_cnt_type"),
        ({"x264-params": "bframes=0"}, "yuv444p", "chroma_format_idc"),
        ({"x264-params": "bframes=0:qp=0"}, "yuv420p", "lossless"),
    ],
)
def test_what_an_encoder_may_choose_but_is_not_handled_is_refused_by_name(
    options: dict[str, str], pix_fmt: Any, said: str
) -> None:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, pix_fmt
    encoder.framerate, encoder.time_base = Fraction(25), Fraction(1, 25)
    encoder.options = options
    frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8)).reformat(format=pix_fmt)
    packets = [*encoder.encode(frame), *encoder.encode(None)]
    units = [u for p in packets for u in split_annex_b(bytes(p)) if u[0] & 31 in (7, 8)]
    with pytest.raises(EncodeError, match=said):
        h264_syntax.read_sps(units[0])
        h264_syntax.read_pps(units[1])


def baseline_sps(*, id_: int = 0, order: int = 2, refs: int = 1, frames_only: int = 1) -> bytes:
    """A sequence parameter set of the Baseline profile, 20 by 12 macroblocks."""
    bits = BitWriter()
    bits.u(24, 66 << 16 | 30)  # profile, constraints, level
    for number in (id_, 3, order, refs):
        bits.ue(number)
    bits.u(1, 0)
    bits.ue(19)
    bits.ue(11)
    bits.u(1, frames_only)
    bits.trailing_bits()
    return b"\x67" + escape(bits.to_bytes())


def test_sizes_are_read_from_the_parameter_set() -> None:
    assert h264_syntax.read_sps(baseline_sps()) == h264_syntax.Sps(7, 20, 12)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"id_": 1}, "seq_parameter_set_id"),
        ({"order": 0}, "pic_order_cnt_type"),
        ({"refs": 0}, "max_num_ref_frames"),
        ({"frames_only": 0}, "frame_mbs_only_flag"),
    ],
)
def test_a_sequence_of_another_kind_is_refused_by_name(changed: dict[str, int], said: str) -> None:
    with pytest.raises(EncodeError, match=said):
        h264_syntax.read_sps(baseline_sps(**changed))


def test_a_parameter_set_that_ends_early_is_refused() -> None:
    sps = read_picture(encode_picture(slide(SMALL, 1), SMALL), SMALL).sps
    with pytest.raises(EncodeError, match="cut short"):
        h264_syntax.read_sps(sps[:7])


Code = st.one_of(
    st.tuples(st.just("ue"), st.integers(0, 2**32 - 2)),
    st.tuples(st.just("se"), st.integers(-(2**31) + 1, 2**31 - 1)),
    st.tuples(st.just("flag"), st.booleans()),
)


@given(st.lists(Code))
def test_codes_are_read_as_they_were_written(codes: list[tuple[str, int]]) -> None:
    bits = BitWriter()
    for kind, value in codes:
        if kind == "ue":
            bits.ue(value)
        elif kind == "se":
            bits.se(value)
        else:
            bits.u(1, value)
    n_bits = bits.n_bits
    bits.trailing_bits()
    read = BitReader(bits.to_bytes())
    assert [getattr(read, kind)() for kind, _ in codes] == [value for _, value in codes]
    assert read.position == n_bits


# a NAL unit's payload ends in its stop bit, or after that in cabac_zero_words
Rbsp = st.builds(
    lambda body, stop, n_zero_words: bytes(body) + bytes([stop]) + bytes(2 * n_zero_words),
    st.lists(st.sampled_from([0, 0, 0, 1, 2, 3, 4, 255])),
    st.sampled_from([1, 2, 3, 128]),
    st.integers(0, 2),
)


@given(Rbsp)
def test_escaping_hides_start_codes_and_is_undone(rbsp: bytes) -> None:
    escaped = escape(rbsp)
    assert not any(code in escaped for code in (b"\0\0\0", b"\0\0\1", b"\0\0\2"))
    assert not escaped.endswith(b"\0")
    # the byte after a last cabac_zero_word is part of it, for a decoder too
    assert unescape(escaped) == rbsp


@given(st.lists(Rbsp, min_size=1))
def test_nal_units_are_split_as_they_were_joined(payloads: list[bytes]) -> None:
    units = [b"\x65" + escape(payload) for payload in payloads]
    assert split_annex_b(join_annex_b(units)) == units


def test_the_exp_golomb_codes_are_the_standards() -> None:
    written = {}
    for number in range(5):
        bits = BitWriter()
        bits.ue(number)
        n_bits = bits.n_bits
        bits.align(0)
        written[number] = f"{int.from_bytes(bits.to_bytes(), 'big'):08b}"[:n_bits]
    # ITU-T H.264 table 9-2
    assert written == {0: "1", 1: "010", 2: "011", 3: "00100", 4: "00101"}


def test_keyframes_stand_at_the_start_and_at_every_interval() -> None:
    assert list(h264.keyframes(1, 300)) == [0]
    assert list(h264.keyframes(601, 300)) == [0, 300, 600]
