import { describe, expect, it, vi } from 'vitest'
import { effectScope, ref, shallowRef } from 'vue'
import { api } from '../src/api/client'
import type { Entry } from '../src/api/types'
import { toAsk, useStripLines } from '../src/panels/stripLines'
import type { Desk } from '../src/store/desk'
import { TAIL_LIMIT } from '../src/store/journal'

const HOUR_MS = 3_600_000
const NOW_MS = 500 * HOUR_MS
const FROM_MS = NOW_MS - 24 * HOUR_MS
const SPAN_MS = 24 * HOUR_MS

describe('what the time strip asks the node for', () => {
  it('is nothing while the tail of the page has all of the span', () => {
    expect(toAsk(FROM_MS, SPAN_MS, null, null, NOW_MS)).toBeNull()
    expect(toAsk(FROM_MS, SPAN_MS, FROM_MS - 1, null, NOW_MS)).toBeNull()
  })

  it('is the whole span, and a little before it, where the tail begins later', () => {
    const asked = toAsk(FROM_MS, SPAN_MS, NOW_MS - HOUR_MS, null, NOW_MS)
    expect(asked).toEqual({ from_ms: FROM_MS - 3 * HOUR_MS, until_ms: NOW_MS })
  })

  it('is nothing again until the strip has moved on, or lines have left the tail since', () => {
    const asked = toAsk(FROM_MS, SPAN_MS, NOW_MS - HOUR_MS, null, NOW_MS)!
    const later = (hours: number, oldest_ms: number) => toAsk(FROM_MS + hours * HOUR_MS, SPAN_MS, oldest_ms, asked, NOW_MS + hours * HOUR_MS)
    expect(later(1, NOW_MS - HOUR_MS)).toBeNull()
    expect(later(1, NOW_MS + 0.5 * HOUR_MS)?.until_ms).toBe(NOW_MS + HOUR_MS)
    expect(later(4, NOW_MS)?.from_ms).toBe(FROM_MS + HOUR_MS)
  })

  it('is another span when somebody looks back beyond it', () => {
    const asked = toAsk(FROM_MS, SPAN_MS, NOW_MS - HOUR_MS, null, NOW_MS)!
    const back_ms = FROM_MS - 48 * HOUR_MS
    expect(toAsk(back_ms, SPAN_MS, NOW_MS - HOUR_MS, asked, NOW_MS)).toEqual({ from_ms: back_ms - 3 * HOUR_MS, until_ms: back_ms + SPAN_MS })
  })
})

describe('lines of the time strip', () => {
  it('are the older ones of the span and the tail, each once', async () => {
    const line = (n: number) => ({ id: String(n), received_at_ms: FROM_MS + n * 60_000 }) as Entry
    const asking = vi.spyOn(api, 'entriesBetween').mockResolvedValue([line(1), line(700)])
    const tail = Array.from({ length: TAIL_LIMIT }, (_, n) => line(700 + n))
    const desk = { all_entries: shallowRef(tail), present_ms: ref(NOW_MS) } as unknown as Desk
    const scope = effectScope()
    const lines = scope.run(() => useStripLines(desk, ref(FROM_MS), ref(SPAN_MS)))!
    expect(lines.value).toHaveLength(TAIL_LIMIT)
    await vi.waitFor(() => expect(lines.value).toHaveLength(TAIL_LIMIT + 1))
    expect(lines.value[0].id).toBe('1')
    expect(asking.mock.calls).toEqual([[FROM_MS - 3 * HOUR_MS, NOW_MS, 1000]])
    scope.stop()
  })
})
