"""What the tracker assumes of targets and of itself: one frozen struct, one set of defaults for everything."""

import msgspec


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of target moves.

    A target flies straight (mode "quiet") or manoeuvres (mode "turn"). A manoeuvre is a turn: its acceleration is
    speed times turn rate, so the noise of both modes grows with the square of a track's speed. The two figures are
    for a target of `v_sigma_m_s` per axis.
    """

    name: str
    v_sigma_m_s: float
    """Standard deviation of a new target's velocity per axis, until enough tracks tell a better one."""
    v_max_m_s: float
    """Nothing of this kind is faster; bounds the gate of a track that has one plot only."""
    q_quiet_m2_s3: float
    """Acceleration noise density while quiet, per axis."""
    q_turn_m2_s3: float
    """Acceleration noise density while turning, per axis."""
    quiet_to_turn_per_s: float
    turn_to_quiet_per_s: float
    life_s: float
    """Mean time until a target leaves or lands; longer where scans are slow."""


UNKNOWN = Kind(
    name="unknown",
    v_sigma_m_s=80.0,
    v_max_m_s=400.0,
    q_quiet_m2_s3=1.0,
    q_turn_m2_s3=1200.0,
    quiet_to_turn_per_s=1 / 60,
    turn_to_quiet_per_s=1 / 25,
    life_s=120.0,
)
KINDS = {
    kind.name: kind
    for kind in (
        UNKNOWN,
        msgspec.structs.replace(
            UNKNOWN, name="aircraft", v_sigma_m_s=110.0, q_quiet_m2_s3=2.0, q_turn_m2_s3=2000.0, life_s=600.0
        ),
        msgspec.structs.replace(
            UNKNOWN,
            name="ship",
            v_sigma_m_s=5.0,
            v_max_m_s=30.0,
            q_quiet_m2_s3=0.001,
            q_turn_m2_s3=0.1,
            quiet_to_turn_per_s=1 / 300,
            turn_to_quiet_per_s=1 / 90,
            life_s=600.0,
        ),
        msgspec.structs.replace(
            UNKNOWN,
            name="vehicle",
            v_sigma_m_s=12.0,
            v_max_m_s=60.0,
            q_quiet_m2_s3=0.1,
            q_turn_m2_s3=8.0,
            quiet_to_turn_per_s=1 / 30,
            turn_to_quiet_per_s=1 / 10,
            life_s=300.0,
        ),
    )
}


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The tracker's own parameters. Tuned on development seeds only (bench/fusion.py); every run uses the defaults."""

    kind: Kind = UNKNOWN
    hard: bool = False
    """False: loopy belief propagation, every gated plot has its share. True: one plot per track (global nearest)."""
    gate_chi2: float = 25.0
    """A plot is considered for a track up to this squared Mahalanobis distance."""
    births_per_clutter: float = 0.02
    """New targets per clutter plot; with `hard` 0.05 does better."""
    birth_free_min: float = 0.5
    """A plot starts a track when it belongs to no known one with at least this probability."""
    confirm_r: float = 0.5
    """A track is confirmed above this existence probability, and shown while above it; see Population.sure_r."""
    confirm_hits: int = 2
    drop_r: float = 0.02
    """A confirmed track ends below this existence probability."""
    drop_tentative: float = 0.06
    """A tentative track ends below this share of the existence it was born with."""
    rounds_max: int = 30
    """Of belief propagation."""
    tolerance: float = 1e-3
    """Belief propagation ends when no weight changes by more."""
    learn: bool = True
    """Estimate clutter, detection probability and speeds from the data; False: believe what is said."""
