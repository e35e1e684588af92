/** The time strip: which lane a journal line stands in, and where the hours are marked. */
import type { Entry } from '../api/types'
import type { JournalKind } from '../store/journal'

export const LANES = ['alarms', 'log', 'talk'] as const
/** From a watch to a week, as long as an exercise. */
export const SPANS_H = [2, 6, 12, 24, 72, 168] as const

/** Which lane, or null for what would only fill the strip (positions, links coming and going). */
export function laneOf(kind: JournalKind, entry: Entry): number | null {
  if (entry.body?.type === 'alerts.alert') return 0
  if (entry.body?.emergency || entry.body?.category === 'alert') return 0
  if (kind === 'log' || kind === 'removal') return 1
  if (kind === 'report') return entry.body?.category === 'unit' ? null : 1
  return kind === 'chat' ? 2 : null
}

const STEPS_MIN = [15, 30, 60, 120, 180, 360, 720, 1440]

/** Round times (UTC) between two, about eight of them. */
export function hourTicks(from_ms: number, until_ms: number): number[] {
  const wanted_min = (until_ms - from_ms) / 60_000 / 8
  const step_ms = (STEPS_MIN.find((step) => step >= wanted_min) ?? 1440) * 60_000
  const ticks: number[] = []
  for (let at = Math.ceil(from_ms / step_ms) * step_ms; at <= until_ms; at += step_ms) ticks.push(at)
  return ticks
}
