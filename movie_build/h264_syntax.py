"""The parts of H.264's syntax that repeating a picture needs: parameter sets and slice headers.

An encoder's choices are read, never assumed; one that the writers here do not
cover is refused by its name in the standard. Clause numbers are of ITU-T H.264.
"""

from __future__ import annotations

from dataclasses import dataclass

from movie_build.bitstream import BitReader, BitWriter, escape, unescape
from movie_build.errors import EncodeError

NAL_SLICE, NAL_IDR, NAL_SEI, NAL_SPS, NAL_PPS = 1, 5, 6, 7, 8
SKIP_PPS_ID = 1
_HEADER_BYTES = 64
_SLICE_P, _SLICE_I = 5, 7  # all slices of the picture are of the type (table 7-6)
_HIGH_PROFILES = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128})


@dataclass(frozen=True, slots=True)
class Sps:
    """What a sequence parameter set (7.3.2.1.1) says of every picture."""

    frame_num_bits: int
    width_mbs: int
    height_mbs: int

    @property
    def n_macroblocks(self) -> int:
        """The number of 16×16 macroblocks in a picture."""
        return self.width_mbs * self.height_mbs


@dataclass(frozen=True, slots=True)
class Pps:
    """What the encoder's picture parameter set (7.3.2.2) says of an IDR slice's header."""

    has_deblocking_control: bool


def _require(is_handled: bool, what: str) -> None:
    if not is_handled:
        raise EncodeError(f"pictures cannot be repeated: the encoder chose {what}")


def _rbsp(unit: bytes, nal_type: int, name: str) -> BitReader:
    if not unit or unit[0] & 31 != nal_type:
        raise EncodeError(f"an encoded picture has no {name} where one is expected")
    return BitReader(unescape(unit[1:]))


def read_sps(unit: bytes) -> Sps:
    """What is needed of the sequence parameter set in the NAL unit `unit`.

    Raises:
        EncodeError: it is broken, or uses what repeated pictures are not written for.
    """
    bits = _rbsp(unit, NAL_SPS, "sequence parameter set")
    profile_idc = bits.u(8)
    bits.u(16)  # constraint flags, level_idc
    _require(bits.ue() == 0, "a seq_parameter_set_id other than 0")
    if profile_idc in _HIGH_PROFILES:
        _require(bits.ue() == 1, "a chroma_format_idc other than 1 (4:2:0)")
        _require(bits.ue() == 0, "a bit_depth_luma_minus8 other than 0")
        _require(bits.ue() == 0, "a bit_depth_chroma_minus8 other than 0")
        _require(not bits.flag(), "qpprime_y_zero_transform_bypass_flag=1 (lossless)")
        _require(not bits.flag(), "seq_scaling_matrix_present_flag=1")
    frame_num_bits = bits.ue() + 4
    _require(bits.ue() == 2, "a pic_order_cnt_type other than 2")
    _require(bits.ue() > 0, "max_num_ref_frames=0")
    bits.flag()  # gaps_in_frame_num_value_allowed_flag
    width_mbs, height_mbs = bits.ue() + 1, bits.ue() + 1
    _require(bits.flag(), "frame_mbs_only_flag=0 (fields)")
    return Sps(frame_num_bits, width_mbs, height_mbs)


def read_pps(unit: bytes) -> Pps:
    """What is needed of the encoder's picture parameter set in the NAL unit `unit`.

    Raises:
        EncodeError: it is broken, or uses what rewriting an IDR slice's header does not cover.
    """
    bits = _rbsp(unit, NAL_PPS, "picture parameter set")
    _require(bits.ue() == 0, "a pic_parameter_set_id other than 0")
    _require(bits.ue() == 0, "a seq_parameter_set_id other than 0")
    _require(bits.flag(), "entropy_coding_mode_flag=0 (CAVLC)")
    bits.flag()  # bottom_field_pic_order_in_frame_present_flag: for other pic_order_cnt_types
    _require(bits.ue() == 0, "a num_slice_groups_minus1 other than 0")
    bits.ue()  # num_ref_idx_l0_default_active_minus1
    bits.ue()  # num_ref_idx_l1_default_active_minus1
    bits.u(3)  # weighted_pred_flag, weighted_bipred_idc
    bits.se()  # pic_init_qp_minus26
    bits.se()  # pic_init_qs_minus26
    bits.se()  # chroma_qp_index_offset
    has_deblocking_control = bits.flag()
    bits.flag()  # constrained_intra_pred_flag
    _require(not bits.flag(), "redundant_pic_cnt_present_flag=1")
    return Pps(has_deblocking_control)


def skip_pps() -> bytes:
    """The picture parameter set of the repeated pictures, as a NAL unit.

    It differs from the encoder's in using CAVLC, where a whole picture of
    skipped macroblocks is a single number.
    """
    bits = BitWriter()
    bits.ue(SKIP_PPS_ID)
    bits.ue(0)  # seq_parameter_set_id
    bits.u(1, 0)  # entropy_coding_mode_flag
    bits.u(1, 0)  # bottom_field_pic_order_in_frame_present_flag
    bits.ue(0)  # num_slice_groups_minus1
    bits.ue(0)  # num_ref_idx_l0_default_active_minus1
    bits.ue(0)  # num_ref_idx_l1_default_active_minus1
    bits.u(3, 0)  # weighted_pred_flag, weighted_bipred_idc
    bits.se(0)  # pic_init_qp_minus26
    bits.se(0)  # pic_init_qs_minus26
    bits.se(0)  # chroma_qp_index_offset
    bits.u(1, 1)  # deblocking_filter_control_present_flag
    bits.u(1, 0)  # constrained_intra_pred_flag
    bits.u(1, 0)  # redundant_pic_cnt_present_flag
    bits.trailing_bits()
    return bytes([3 << 5 | NAL_PPS]) + escape(bits.to_bytes())


def skip_picture(sps: Sps, n_after_idr: int) -> bytes:
    """A P picture, as a NAL unit, that repeats the one before it (7.3.3, 7.3.4).

    `n_after_idr` is 1 for the first picture after the IDR picture.
    """
    bits = BitWriter()
    bits.ue(0)  # first_mb_in_slice
    bits.ue(_SLICE_P)
    bits.ue(SKIP_PPS_ID)
    bits.u(sps.frame_num_bits, n_after_idr % (1 << sps.frame_num_bits))
    bits.u(1, 0)  # num_ref_idx_active_override_flag
    bits.u(1, 0)  # ref_pic_list_modification_flag_l0
    bits.u(1, 0)  # adaptive_ref_pic_marking_mode_flag
    bits.se(0)  # slice_qp_delta
    bits.ue(1)  # disable_deblocking_filter_idc
    bits.ue(sps.n_macroblocks)  # mb_skip_run
    bits.trailing_bits()
    return bytes([2 << 5 | NAL_SLICE]) + escape(bits.to_bytes())


def with_idr_pic_id(unit: bytes, idr_pic_id: int, sps: Sps, pps: Pps) -> bytes:
    """The IDR slice in the NAL unit `unit` with another idr_pic_id.

    Two IDR pictures in a row must differ in it (7.4.3). CABAC slice data start
    on a byte, so only the header is written anew.

    Raises:
        EncodeError: the header is not that of a lone I slice.
    """
    rbsp = unescape(unit[1:])
    old, new = BitReader(rbsp[:_HEADER_BYTES]), BitWriter()
    first_mb_in_slice, slice_type, pps_id = old.ue(), old.ue(), old.ue()
    if first_mb_in_slice or slice_type != _SLICE_I or pps_id:
        raise EncodeError("an encoded picture is not one I slice of the first parameter set")
    new.ue(first_mb_in_slice)
    new.ue(slice_type)
    new.ue(pps_id)
    new.u(sps.frame_num_bits, old.u(sps.frame_num_bits))
    old.ue()
    new.ue(idr_pic_id)
    new.u(2, old.u(2))  # no_output_of_prior_pics_flag, long_term_reference_flag
    new.se(old.se())  # slice_qp_delta
    if pps.has_deblocking_control:
        disable_deblocking_filter_idc = old.ue()
        new.ue(disable_deblocking_filter_idc)
        if disable_deblocking_filter_idc != 1:
            new.se(old.se())  # slice_alpha_c0_offset_div2
            new.se(old.se())  # slice_beta_offset_div2
    new.align(1)  # cabac_alignment_one_bit
    n_header_bytes = (old.position + 7) // 8
    return unit[:1] + escape(new.to_bytes() + rbsp[n_header_bytes:])
