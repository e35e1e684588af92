/** Sizes of the panels as people set them, kept on this machine. */
import { reactive, watch } from 'vue'

export interface Layout {
  left_px: number
  right_px: number
  below_px: number
  left_open: boolean
  right_open: boolean
  below_open: boolean
}
export type Side = 'left' | 'right' | 'below'

export const LIMITS_PX: Record<Side, [number, number]> = { left: [240, 720], right: [280, 720], below: [150, 620] }
const KEY = 'aquila.layout'

/** Sizes that suit a screen of this width. */
export function sizesFor(width_px: number): Layout {
  const wall = width_px >= 2400
  const narrow = width_px <= 1366
  return {
    left_px: wall ? 460 : narrow ? 280 : 316,
    right_px: wall ? 480 : narrow ? 304 : 336,
    below_px: wall ? 320 : narrow ? 208 : 252,
    left_open: true,
    right_open: true,
    below_open: true,
  }
}

export function clamped(side: Side, size_px: number): number {
  const [least, most] = LIMITS_PX[side]
  return Math.round(Math.max(least, Math.min(most, size_px)))
}

/** What was stored over what suits the screen; anything broken or out of bounds counts as not stored. */
export function readLayout(stored: string | null, width_px: number): Layout {
  const layout = sizesFor(width_px)
  let kept: Partial<Record<keyof Layout, unknown>> = {}
  try {
    kept = (stored ? JSON.parse(stored) : {}) as typeof kept
  } catch {
    return layout
  }
  for (const side of ['left', 'right', 'below'] as const) {
    const size_px = kept?.[`${side}_px`]
    const open = kept?.[`${side}_open`]
    if (typeof size_px === 'number' && Number.isFinite(size_px)) layout[`${side}_px`] = clamped(side, size_px)
    if (typeof open === 'boolean') layout[`${side}_open`] = open
  }
  return layout
}

/** The layout of this page; every change is kept. */
export function keptLayout(): Layout {
  const layout = reactive(readLayout(localStorage.getItem(KEY), window.innerWidth))
  watch(layout, () => localStorage.setItem(KEY, JSON.stringify(layout)))
  return layout
}
