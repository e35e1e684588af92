/** One word for the quality of the fused picture: against the truth where it is known, else by its own consistency. */
import type { TrackQuality } from '../../api.generated'

export type Grade = 'good' | 'fair' | 'poor' | 'unknown'

/** Plots may lie so many times as far from where they were expected as the errors say (NIS per axis; 1 is honest). */
const HONEST = { good: [0.5, 1.5], fair: [0.3, 2.5] } as const
/** Against the truth: least completeness, most spurious tracks. */
const AGAINST_TRUTH = { good: [0.95, 0.05], fair: [0.85, 0.15] } as const
/** What has moved shall be on the screen after this. */
const SHOWN_MS = { good: 250, fair: 1000 } as const

const RANK: Grade[] = ['good', 'fair', 'poor']

function worse(one: Grade, other: Grade): Grade {
  if (one === 'unknown') return other
  if (other === 'unknown') return one
  return RANK[Math.max(RANK.indexOf(one), RANK.indexOf(other))]
}

export function gradeOfConsistency(value: number | null | undefined): Grade {
  if (value === null || value === undefined) return 'unknown'
  for (const grade of ['good', 'fair'] as const) if (value >= HONEST[grade][0] && value <= HONEST[grade][1]) return grade
  return 'poor'
}

export function gradeOfLatency(shown_ms: number): Grade {
  return shown_ms <= SHOWN_MS.good ? 'good' : shown_ms <= SHOWN_MS.fair ? 'fair' : 'poor'
}

export function gradeOf(quality: TrackQuality, with_truth: boolean): Grade {
  const late = quality.feeds.map((feed) => gradeOfLatency(feed.shown_p50_ms)).reduce(worse, 'unknown')
  const truth = quality.truth
  if (with_truth && truth) {
    const found = (['good', 'fair'] as const).find((grade) => truth.completeness >= AGAINST_TRUTH[grade][0] && truth.spurious <= AGAINST_TRUTH[grade][1])
    return worse(found ?? 'poor', late)
  }
  return quality.radars.map((radar) => gradeOfConsistency(radar.consistency)).reduce(worse, late)
}
