import { describe, expect, it } from 'vitest'
import { Desk, SILENT_AFTER_MS } from '../src/store/desk'
import { FrameKind } from '../src/stream/frame'

const NOW = Date.UTC(2026, 10, 23, 14, 32, 5)
const beat = (base_time_ms: number) => ({ kind: FrameKind.heartbeat, mask: 0, sequence: 0, count: 0, base_time_ms })

describe('the picture', () => {
  it('is as old as the node says, not as what came late', () => {
    const desk = new Desk(() => {
      throw new Error('nobody connects')
    })
    desk.stream_state.value = 'live'
    const hear = (at_ms: number) => {
      desk['onFrame'](beat(at_ms))
      desk['readClocks']()
      return desk.frozen()
    }
    desk['setClock'](NOW)
    expect(hear(NOW)).toBe(false)
    desk['setClock'](NOW + 60_000)
    desk['readClocks']()
    expect(desk.frozen()).toBe(true)
    // What had waited meanwhile comes at once, the oldest first.
    expect(hear(NOW + 1000)).toBe(true)
    expect(hear(NOW + 60_000 - SILENT_AFTER_MS - 1000)).toBe(true)
    expect(hear(NOW + 59_900)).toBe(false)
  })
})
