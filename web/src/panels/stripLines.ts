/** Lines for the time strip: those of the page's tail, and older ones of the span, which the node is asked for. */
import { computed, shallowRef, watch, type ComputedRef, type Ref } from 'vue'
import { api, ApiError } from '../api/client'
import type { Entry } from '../api/types'
import type { Desk } from '../store/desk'
import { isRepeat, TAIL_LIMIT } from '../store/journal'

/** More marks than that on one strip are a bar. */
const LINES = 1000
/** The span is asked for anew when it has moved on by this part of itself. */
const PARTS = 8

export interface Asked {
  from_ms: number
  until_ms: number
}

/**
 * What is to be asked for; null: the tail has all of it, or it was asked for. `oldest_ms`: when the oldest line of a full
 * tail came in, null while the tail is the whole journal.
 */
export function toAsk(from_ms: number, span_ms: number, oldest_ms: number | null, asked: Asked | null, now_ms: number): Asked | null {
  if (oldest_ms === null || oldest_ms <= from_ms) return null
  const slack_ms = span_ms / PARTS
  // What has left the tail since is on neither side.
  const has = asked && asked.from_ms <= from_ms && from_ms - asked.from_ms < 2 * slack_ms && asked.until_ms >= Math.min(oldest_ms, from_ms + span_ms)
  return has ? null : { from_ms: Math.floor(from_ms - slack_ms), until_ms: Math.floor(Math.min(now_ms, from_ms + span_ms)) }
}

/** Older lines and the tail, each once. */
export function useStripLines(desk: Desk, from_ms: Ref<number>, span_ms: Ref<number>): ComputedRef<Entry[]> {
  const older = shallowRef<Entry[]>([])
  let asked: Asked | null = null
  async function read(): Promise<void> {
    const tail = desk.all_entries.value
    const oldest_ms = tail.length < TAIL_LIMIT ? null : tail[0].received_at_ms
    const next = toAsk(from_ms.value, span_ms.value, oldest_ms, asked, desk.present_ms.value)
    if (!next) return
    const before = asked
    asked = next
    try {
      const found = await api.entriesBetween(next.from_ms, next.until_ms, LINES)
      if (asked === next) older.value = found.filter((entry) => !isRepeat(entry))
    } catch (error) {
      if (!(error instanceof ApiError)) throw error
      // The tail is still shown; the next turn asks again.
      if (asked === next) asked = before
    }
  }
  watch([from_ms, span_ms, desk.all_entries], () => void read(), { immediate: true })
  return computed(() => {
    if (!older.value.length) return desk.all_entries.value
    const tail = new Set(desk.all_entries.value.map(({ id }) => id))
    return [...older.value.filter(({ id }) => !tail.has(id)), ...desk.all_entries.value]
  })
}
